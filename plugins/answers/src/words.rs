//! Yes and no.

use strowger_sdk::media::Choice;

use crate::choice;

/// The two answers: 1 is yes, 2 is no.
pub struct YesNo;

impl YesNo {
    /// Keys, words and buttons. Words of every language are understood, whatever the contact's is.
    pub fn choices(language: &str) -> Vec<Choice> {
        let (yes, no) = if language == "zh" {
            ("是", "否")
        } else {
            ("Yes", "No")
        };
        vec![
            choice(
                "1",
                yes,
                &[
                    "yes", "y", "yeah", "ok", "right", "correct", "是", "是的", "对", "好", "正确",
                ],
            ),
            choice(
                "2",
                no,
                &["no", "n", "nope", "wrong", "否", "不", "不是", "不对", "错"],
            ),
        ]
    }

    /// Whether a choice's key is yes.
    pub fn is_yes(key: &str) -> bool {
        key == "1"
    }
}
