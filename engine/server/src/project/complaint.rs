//! Why a plugin cannot be used, in the languages of findings.

use strowger_flow::diagnostic::{Text, text};
use strowger_plugin::LoadError;

use super::component::ComponentFault;
use super::reading::unreadable;

/// Why a plugin cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The plugin's name in strowger.toml; none for the standard steps.
    pub plugin: Option<String>,
    /// What is wrong.
    pub message: Text,
    /// What to do.
    pub help: Option<Text>,
    /// Whether it is the engine's trouble of this moment rather than the plugin's.
    pub of_the_engine: bool,
}

impl Complaint {
    /// About the steps that are built into this program.
    pub(super) fn standard(message: Text) -> Complaint {
        Complaint {
            plugin: None,
            message,
            help: None,
            of_the_engine: false,
        }
    }

    /// About a standard step that does not load.
    pub(super) fn of_standard(step: &str, error: &LoadError) -> Complaint {
        let (message, help) = refused(error);
        let message =
            text!("standard step {step}: {message}", "标准步骤 `{step}`：{message}"; message);
        Complaint {
            plugin: None,
            message,
            help,
            of_the_engine: error.of_the_engine(),
        }
    }

    /// About a plugin whose file cannot be had.
    pub(super) fn of_file(plugin: &str, fault: &ComponentFault) -> Complaint {
        let (message, help) = missing(fault);
        Complaint::of(plugin, message, Some(help))
    }

    /// About a plugin that does not load from its file.
    pub(super) fn of_component(plugin: &str, file: &str, error: &LoadError) -> Complaint {
        let (message, help) = refused(error);
        let message = text!("{file}: {message}", "`{file}`：{message}"; message);
        Complaint {
            of_the_engine: error.of_the_engine(),
            ..Complaint::of(plugin, message, help)
        }
    }

    /// About a plugin of this name.
    pub(super) fn of(plugin: &str, message: Text, help: Option<Text>) -> Complaint {
        Complaint {
            message: text!("plugin {plugin}: {message}", "插件 `{plugin}`：{message}"; message),
            plugin: Some(plugin.to_owned()),
            help,
            of_the_engine: false,
        }
    }

    /// All of it in one English line.
    pub fn line(&self) -> String {
        match &self.help {
            Some(help) => format!("{}; {}", self.message.english(), help.english()),
            None => self.message.english().to_owned(),
        }
    }
}

/// The cause and the remedy that an error's English sentence has, before and after its first `; `.
fn halves(error: &impl std::fmt::Display) -> (String, Option<String>) {
    let said = error.to_string();
    match said.split_once("; ") {
        Some((cause, remedy)) => (cause.to_owned(), Some(remedy.to_owned())),
        None => (said, None),
    }
}

fn missing(fault: &ComponentFault) -> (Text, Text) {
    let (cause, remedy) = halves(fault);
    let (chinese, help) = match fault {
        ComponentFault::Outside { path, name } => (
            format!("`{path}` 在项目之外"),
            format!("请把组件复制到项目文件夹里，并从那里写起，例如 `plugins/{name}`"),
        ),
        ComponentFault::Unreadable { path, why } => {
            let why = unreadable(why);
            (
                format!("无法读取 `{}`：{}", path.display(), why.chinese()),
                "请先构建它（`strowger plugin build`；在 Strowger 的源码中用 `make build`），或改正 `component`".to_owned(),
            )
        }
        ComponentFault::NoFile { path } => (
            format!("`{}` 不是文件", path.display()),
            "请先构建它，或改正 `component`".to_owned(),
        ),
        ComponentFault::TooLarge { path, bytes, most } => (
            format!("`{}` 有 {bytes} 字节，组件最多 {most} 字节", path.display()),
            "请优化构建，并去掉调试段".to_owned(),
        ),
    };
    let help = Text::both(remedy.unwrap_or_default(), help);
    (Text::both(cause, chinese), help)
}

/// What an author reads of a component stays as the engine says it, in quotes; what the operator does about it is
/// said in both languages.
fn refused(error: &LoadError) -> (Text, Option<Text>) {
    let (cause, remedy) = halves(error);
    let (chinese, help) = match error {
        LoadError::TooLarge { bytes, most } => (
            format!("组件有 {bytes} 字节，最多允许 {most} 字节"),
            "请优化构建并去掉调试段，或提高上限",
        ),
        LoadError::NotAComponent => (
            "这是 WebAssembly 核心模块，不是组件".to_owned(),
            "请用 `wasm-tools component new` 或 `strowger plugin componentize` 转换",
        ),
        LoadError::NotWasm { .. } => (
            "这不是 WebAssembly 文件".to_owned(),
            "请构建插件，并写上得到的 `.wasm` 文件",
        ),
        LoadError::CutOff { bytes } => (
            format!("文件在 {bytes} 字节处中断"),
            "复制或构建没有完成，请再做一次",
        ),
        LoadError::Invalid { offset, reason } => (
            format!("第 {offset} 字节处不是有效的组件：“{reason}”"),
            "不支持线程、64 位内存、垃圾回收和异常",
        ),
        LoadError::NotGranted { import, capability } => (
            format!("插件导入了 `{import}`，但没有授予能力 `{capability}`"),
            "请授予该能力，或让插件不用它",
        ),
        LoadError::UnknownImport { import, served } => (
            format!("插件导入了 `{import}`，引擎不提供它；提供的有 `{served}`"),
            "请按引擎的版本重新构建插件",
        ),
        LoadError::Wasi { import, .. } => (
            format!("插件导入了 `{import}`，引擎不提供 WASI 的这一部分"),
            "请换用引擎的能力，例如以 `strowger:http` 代替 `wasi:http`，或用工具链的选项去掉它",
        ),
        LoadError::UnknownFunction {
            import, function, ..
        } => (
            format!("插件导入了 `{import}#{function}`，该接口没有这个函数"),
            "请按引擎的版本重新构建插件",
        ),
        LoadError::Signature {
            import,
            function,
            found,
            expected,
        } => (
            format!("`{import}#{function}` 声明为 `{found}`，约定是 `{expected}`"),
            "请按该版本的 WIT 重新构建插件",
        ),
        LoadError::MissingExport { export } => (
            format!("插件没有导出 `{export}`"),
            "请实现 `strowger:step@1.0.0` 的 world `step`",
        ),
        LoadError::Unsupported { reason } => (
            format!("组件不适合此引擎：“{reason}”"),
            "请按文档重新构建插件",
        ),
        LoadError::Describe(why) => (
            format!("`describe` 没有应答：“{why}”"),
            "请让插件的作者改正",
        ),
        LoadError::Description { path, reason } => (
            format!("插件说明在 `{path}` 处有误：“{reason}”"),
            "请让插件的作者改正",
        ),
        LoadError::More { count } => (
            format!("……还有 {count} 条同类问题"),
            "请先改正前面的，再试一次",
        ),
        LoadError::Abandoned => (
            "带来这个组件的一方已经离开，没有编译它".to_owned(),
            "请重新推送，并等待结果",
        ),
        LoadError::Engine { reason } => {
            (format!("引擎无法加载插件：“{reason}”"), "这不是插件的问题")
        }
        // The enum grows with the engine; its English sentence is there in any case.
        _ => (format!("无法加载插件：“{cause}”"), "请按文档重新构建插件"),
    };
    let help = remedy.map(|remedy| Text::both(remedy, help));
    (Text::both(cause, chinese), help)
}
