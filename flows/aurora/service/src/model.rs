//! What the service answers with.

use serde::Serialize;

/// A text in the two languages of the shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bilingual {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    pub zh: String,
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Money {
    /// In the currency's smallest unit: 19900 is 199.00 CNY.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderStatus {
    /// Handed to the carrier.
    Shipped,
    /// Waiting for the customer's money.
    Unpaid,
    /// Paid and in its box.
    Packed,
    /// Given up, by whomever.
    Cancelled,
}

impl OrderStatus {
    /// Reads the word that stands in the database.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "shipped" => Some(Self::Shipped),
            "unpaid" => Some(Self::Unpaid),
            "packed" => Some(Self::Packed),
            "cancelled" => Some(Self::Cancelled),
            _ => None,
        }
    }

    /// How the shop says it to a customer, as the end of "Its status is …".
    pub fn text(self) -> Bilingual {
        let (en, zh) = match self {
            Self::Shipped => ("shipped", "已发货"),
            Self::Unpaid => ("waiting for payment", "待付款"),
            Self::Packed => (
                "packed and about to leave our warehouse",
                "已打包，即将出库",
            ),
            Self::Cancelled => ("cancelled", "已取消"),
        };
        Bilingual {
            en: en.into(),
            zh: zh.into(),
        }
    }
}

/// An order as a customer may hear it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Order {
    /// Eight digits or more.
    pub order_no: String,
    /// Where it stands.
    pub status: OrderStatus,
    /// The same in words.
    pub status_text: Bilingual,
    /// Expected day of delivery, ISO 8601; absent when none is foreseen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta: Option<String>,
    /// What it costs in all.
    pub total: Money,
}

/// Who rings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Customer {
    /// The shop's own id.
    pub id: String,
    /// `platinum`, `gold` or `standard`.
    pub tier: String,
    /// Family name in the language asked for.
    pub surname: String,
    /// Ms, Mr and their like.
    pub honorific: Bilingual,
    /// Complaints and questions not yet closed.
    pub open_cases: i64,
}

/// Names what a `POST` has just made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Created {
    /// `note-…` or `callback-…`.
    pub id: String,
}
