rule! {
    /// What it finds: a comparison of a value with something that it can never be, by the description of whoever made it.
    ///
    /// ```yaml
    /// lookup:
    ///   use: orders/lookup@1
    ///   with: { order_no: "20260302" }
    ///   as: order
    ///   then: { found: status, else: bye }
    /// status:
    ///   if: order.status == "delivered"     # it is one of shipped, unpaid, packed, cancelled
    ///   then: [ { say: It is on its way. }, { goto: bye } ]
    ///   else: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// lookup:
    ///   use: orders/lookup@1
    ///   with: { order_no: "20260302" }
    ///   as: order
    ///   then: { found: status, else: bye }
    /// status:
    ///   if: order.status == "shipped"
    ///   then: [ { say: It is on its way. }, { goto: bye } ]
    ///   else: bye
    /// ```
    IMPOSSIBLE_COMPARISON = "impossible-comparison", Error, "a comparison that is never true", "永远不成立的比较"
}
