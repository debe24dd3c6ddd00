//! What every call test needs: the demo tenant, and the words it should say.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
pub use strowger_tests::program::always_open;
use strowger_tests::{Engine, OrderService, Phone, Prompts};
use strowger_voice::clip::Clip;

/// Longest time until a prompt was heard to its end; the longest menu lasts about ten seconds.
pub const PROMPT: Duration = Duration::from_secs(25);

pub const LANGUAGE_ZH: &str = "中文服务请按一。";
pub const LANGUAGE_EN: &str = "For English, press two.";
pub const MENU_EN: &str = "Welcome to Aurora. To check an order, press 1. To reach member services, press 2. To speak to someone, press 0.";
pub const CHOICES_EN: &str =
    "To check an order, press 1. To reach member services, press 2. To speak to someone, press 0.";
pub const STILL_THERE: &str = "Sorry, I didn't hear anything.";
pub const LAST_CHANCE: &str = "Press a key now, or hold and I'll connect you to a person.";
pub const NOT_AN_OPTION: &str = "That isn't one of the options.";
pub const ASK_ORDER: &str = "Please enter your order number, then press hash.";

/// The demo tenant, up and running.
pub struct World {
    pub engine: Engine,
    pub orders: OrderService,
    pub prompts: Prompts,
}

impl World {
    pub fn start() -> Result<World> {
        let orders = OrderService::start()?;
        let engine = Engine::aurora(&orders)?;
        let prompts = Prompts::new(&engine.project, &engine.data.join("prompts"))?;
        Ok(World {
            engine,
            orders,
            prompts,
        })
    }

    /// The demo tenant with its files changed first.
    pub fn edited(edit: impl FnOnce(&std::path::Path) -> Result<()>) -> Result<World> {
        let orders = OrderService::start()?;
        let address = orders.address.to_string();
        let engine = Engine::start("aurora", |project| {
            strowger_tests::program::edit(&project.join("strowger.toml"), |text| {
                text.replace("127.0.0.1:8090", &address)
            })?;
            edit(project)
        })?;
        let prompts = Prompts::new(&engine.project, &engine.data.join("prompts"))?;
        Ok(World {
            engine,
            orders,
            prompts,
        })
    }

    pub fn dial(&self, number: &str) -> Result<Phone> {
        Phone::dial(self.engine.sip, number, "call", &[])
    }

    pub fn en(&self, text: &str) -> Result<Arc<Clip>> {
        self.prompts.text("en", text)
    }

    pub fn zh(&self, text: &str) -> Result<Arc<Clip>> {
        self.prompts.text("zh", text)
    }

    /// Hears an English text whole.
    pub fn hears(&self, phone: &mut Phone, text: &str) -> Result<()> {
        phone.hear(&*self.en(text)?, PROMPT)
    }

    /// Up to the main menu in English: the hours decide whether it is open, so tests keep it open.
    pub fn to_menu(&self, phone: &mut Phone) -> Result<()> {
        phone.hear(&*self.zh(LANGUAGE_ZH)?, PROMPT)?;
        phone.hear(&*self.en(LANGUAGE_EN)?, PROMPT)?;
        phone.press("2")?;
        self.hears(phone, MENU_EN)
    }
}
