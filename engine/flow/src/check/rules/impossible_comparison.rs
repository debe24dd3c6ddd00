rule! {
    /// What it finds: a comparison of a value with something that it can never be, by the description of whoever made it.
    ///
    /// ```yaml
    /// if: order.status == "delivered"     # it is one of shipped, unpaid, packed, cancelled
    /// ```
    IMPOSSIBLE_COMPARISON = "impossible-comparison", Error, "a comparison that is never true", "永远不成立的比较"
}
