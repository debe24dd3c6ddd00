//! The rules' pages in Chinese: their prose, paragraph by paragraph. The examples are those of the
//! English page, so the two cannot drift apart.

/// The page of a rule in Chinese; `None` when it has not been translated, paragraph for paragraph.
pub(super) fn page(slug: &str, english: &str) -> Option<String> {
    let (_, written) = PAGES.iter().find(|(name, _)| *name == slug)?;
    let mut written = written.iter();
    let mut page = Vec::new();
    for block in blocks(english) {
        page.push(match block {
            Block::Example(example) => example,
            Block::Prose(prose) if prose.trim() == "Write instead:" => "应写成：".to_owned(),
            Block::Prose(_) => (*written.next()?).to_owned(),
        });
    }
    written
        .next()
        .is_none()
        .then(|| format!("{}\n", page.join("\n\n")))
}

/// A part of a page between empty lines.
enum Block {
    Prose(String),
    Example(String),
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines: Vec<&str> = Vec::new();
    let mut example = false;
    for line in page.lines().chain([""]) {
        let fence = line.trim_start().starts_with("```");
        if !example && (fence || line.trim().is_empty()) && !lines.is_empty() {
            blocks.push(Block::Prose(lines.join("\n")));
            lines.clear();
        }
        if example || fence || !line.trim().is_empty() {
            lines.push(line);
        }
        if fence && example {
            blocks.push(Block::Example(lines.join("\n")));
            lines.clear();
        }
        example ^= fence;
    }
    blocks
}

static PAGES: &[(&str, &[&str])] = &[
    (
        "bad-duration",
        &[
            "检查：时长没有写成 `250ms`、`5s`、`3m` 或 `1h30m` 的形式，或者对所在位置来说太长或太短。",
        ],
    ),
    (
        "bad-expression",
        &[
            "检查：条件或 `${ … }` 不符合表达式的语法，或者超过 1 KiB，或者嵌套超过 32 层。",
            "表达式里有名字、数字、`\"文本\"`、列表、`and or not`、比较、`+ - * / %`、连接文本的 `~`、`in`、`is none`、\n`a if c else b`，以及 `|` 之后的过滤器。此外没有别的。",
        ],
    ),
    (
        "bad-hours",
        &["检查：时区不存在、星期写错，或者钟表上没有的时刻。"],
    ),
    (
        "bad-input",
        &["检查：插件的说明不允许的值：太大、太小、不是它认识的词，或者该写列表的地方写了文本。"],
    ),
    (
        "bad-name",
        &[
            "检查：流程、步骤、提示、变量、结果或营业时间的名字里有大写字母、空格之类。名字以小写字母开头，\n后面是字母、数字、`_` 和 `-`。变量名里不能有 `-`，因为那会是减号。",
            "还有表达式里已有含义的名字：表达式自己的词，例如 `call`、`not`；以及同时写在 `inputs:` 和 `vars:` 下的名字。\n表达式里只写名字，没人能分清指的是哪一个。",
        ],
    ),
    (
        "bad-ssml",
        &[
            "检查：文本里没有闭合的标记，或者不属于提示可用的 SSML：`break`、`emphasis`、`prosody`、`say-as`、`sub`、\n`phoneme`、`lang`、`p`、`s`；还有标记没有的属性，或 SSML 1.1 里该属性不接受的值。`break` 最长十秒：更长请用 `wait:`。",
        ],
    ),
    (
        "bad-value",
        &[
            "检查：该写文本的地方写了列表，该写映射的地方写了文本，写了该字段不认识的词，或者提示里一个字也没有。",
        ],
    ),
    (
        "braces-in-expression",
        &[
            "检查：条件外面的花括号。`if:`、`when:`、`switch:` 和 `valid:` 直接写表达式；花括号的作用是把值插入文本。",
        ],
    ),
    (
        "dead-air",
        &[
            "检查：可能让来电者在无声中等待超过八秒的步骤：超时乘以次数，再加上间隔，而又没有 `meanwhile:`，或其中的那句话早已说完。相继的步骤之间没有声音时，静默会相加。队列里只有它自己的\n`meanwhile:` 能让人听到声音。",
            "其间让来电者听到点什么；那句话之后，`music:` 会继续播放：",
        ],
    ),
    (
        "dead-end",
        &[
            "检查：后面什么也没有的动作。呼叫会从流程末尾掉出去，来电者再也听不到任何声音。",
            "写上 `then:`，或者结束通话：",
        ],
    ),
    (
        "deep-nesting",
        &[
            "检查：内嵌列表超过两层。没有人还能看懂。",
            "给最里面的列表起一个步骤名，再跳到那里。",
        ],
    ),
    (
        "duplicate-key",
        &[
            "检查：同一个映射里出现两次的键。多数 YAML 读取器会悄悄保留最后一个，所写的内容有一半永远不会执行。\n`1` 和 `\"1\"` 是同一个键，`star` 和 `\"*\"` 也是。",
            "还有聊天里一个词表示同一个 `press:` 的两个键、而两个键去往不同地方：`label` 或 `match` 重复，或与另一个键相同。\n写下它的人永远只会得到第一个。",
        ],
    ),
    (
        "full-width",
        &[
            "检查：应该写语言符号的地方，用中文输入法打出了全角符号：`：` 应为 `:`，`，` 应为 `,`，`－` 应为 `-`，`（` 应为 `(`，`１` 应为 `1`。\n对流程语言来说，全角符号只是文本里的一个字。由此引起的其他问题不再另报。",
            "还有流程语言不认的空格，例如从网页粘贴来的不换行空格（U+00A0）和全角空格（U+3000）；名字里看不见的零宽符号，例如 U+200B；以及电话按键 `＃` 和 `＊`，它们的名字是 `hash` 和 `star`。",
            "只有换成半角就能改好时才报告，因此只检查 64 KiB 以内的文件。在播报的文本里，全角符号是对的。",
        ],
    ),
    (
        "impossible-comparison",
        &["检查：按照提供方的说明，这个值永远不可能等于所比较的内容。"],
    ),
    (
        "long-prompt",
        &[
            "检查：菜单或提问的文本要念大约 30 秒以上。知道自己要什么的来电者只能干等；不知道的已经忘了开头。\n还有超过 20 秒的提示 `apology`（包括音频文件）：到时就会被打断。",
        ],
    ),
    (
        "missing-audio",
        &[
            "检查：`audio:` 或 `music:` 指向的文件不在项目里，或者路径指到了项目之外。有文本时改为朗读文本。",
            "路径从项目的文件夹算起。",
        ],
    ),
    (
        "missing-input",
        &[
            "检查：缺少插件或被调用流程必需的输入。带有这种输入的流程不能用 `flow:NAME` 进入，也不能写在 `routes.yaml` 的路由里：那里没有人提供输入。请用 `call:` 调用它，或给该输入一个默认值。测试这种流程时，请在 `given: { inputs: … }` 里给出输入。",
        ],
    ),
    (
        "missing-key",
        &["检查：流程没有 `flow:`、`format:` 或 `steps:`，动作没有对象，等等。"],
    ),
    (
        "missing-outcome",
        &[
            "检查：步骤可能出现的某个结果既没有自己的一行，也没有 `else:`。对 `error` 和 `timeout`，写在\n`global: { error: … }` 里就够了。",
            "遇到这个结果的来电者会被挂断。",
        ],
    ),
    (
        "missing-translation",
        &[
            "检查：提示缺少流程某种语言的文本，也没有 `any`；或者带有流程不使用的语言的文本。说所缺语言的来电者会听到另一种语言。",
        ],
    ),
    (
        "missing-unit",
        &[
            "检查：该写时长的地方只写了数字。三秒还是三分钟？来电者感觉得到差别。",
            "单位有 `ms`、`s`、`m` 和 `h`：`250ms`、`5s`、`3m`、`1h30m`。",
        ],
    ),
    (
        "no-way-out",
        &[
            "检查：从这个步骤出发，走不到人工、告别（`hangup:`）、`return:` 或另一个流程。来电者只能兜圈子，直到放弃。",
        ],
    ),
    (
        "nothing-to-play",
        &[
            "检查：`audio:` 指向的文件不在项目里，提示又没有可以代替朗读的 `text:`。来电者什么也听不到：走到这条提示时步骤立即失败。",
            "改正路径，或者同时写上文字：文件缺失时朗读它，聊天中显示它：",
        ],
    ),
    (
        "no-words",
        &[
            "检查：把值读成词语的过滤器（例如 `number`、`date`、`money`）用在了没有读法的语言里。这里只有英语和中文的读法。换成别的语言，动作执行到这里就会失败，并走向错误的去向。",
            "请不带过滤器直接插入该值（日期就成为数字），或自行写出词语：",
        ],
    ),
    (
        "over-max-duration",
        &[
            "检查：步骤可能比流程的 `max_duration` 更长：队列的 `max_wait`，`record:`，或 `timeout` 乘以次数。通话在那之前就结束了，本该出现的结果永远不会出现。",
            "请缩短步骤的时间，或延长通话（`defaults: { max_duration: 2h }`）：",
        ],
    ),
    (
        "placeholder",
        &["检查：文档或模板里的占位符没有换成自己的内容。"],
    ),
    (
        "plugin-outdated",
        &[
            "检查：插件已有更新主版本的步骤，以及插件说明写着 `deprecated` 的步骤或输入。流程照常运行，但总有一天不行。\n帮助里是插件作者的话：改用什么，或者有哪些变化。",
        ],
    ),
    (
        "retry-not-idempotent",
        &[
            "检查：对没有声明“执行两次也无妨”的插件步骤使用 `retry:`。超时后重试，可能把同一张订单下两次。",
        ],
    ),
    (
        "secret-leak",
        &[
            "检查：类型为 `secret` 的值出现在提示、标签、附加信息、普通变量里，或者交给没有承诺保密（`x-secret`）的输入。\n卡号和密码不能念出来，不能存下来，也不能显示。",
            "改为念最后四位：`${card | last4}`。",
        ],
    ),
    (
        "shadowed-global-key",
        &[
            "检查：步骤的 `press:` 里有一个 `global.press` 也有的键，去向却不同。来电者已经习惯按 0 转人工，在这里却不是。",
        ],
    ),
    (
        "silent-loop",
        &[
            "检查：来电者什么也没做，没有按键，没有回答，步骤却绕回自己。这样的通话会一直持续到 `max_duration`，\n来电者反复听到同样的内容，或者什么也听不到。",
            "通过 `call:` 或 `flow:NAME` 互相通往的流程也是这样的循环。队列或转接在可能立刻出现的结果上绕回自己，也是这样的循环：没有坐席登录，队列已满，对方占线。",
            "让循环经过一个会听取按键的步骤，或者计数后离开。算作计数的是这样的 `number` 变量：以数字为初值，每条回路上都只给它加上写明的数字\n（`set: { n: \"${n + 1}\" }`），始终递增或始终递减；并且只有在它小于（递减时大于）某个写明的数字或从不改变的变量时，回路才走得通：\n`if: n < 3`。用 `==` 和 `!=` 证明不了什么。",
        ],
    ),
    (
        "spoken-key-unmapped",
        &[
            "检查：菜单提示里说“请按三”或 \"press 3\"，步骤却没有这个键。来电者会去按它。\n还有：询问数字的提示里说“请按星号键”，而星号键不通向任何地方；以及按键的标签里提到别的键。",
            "请用 `${choices}`：提示和按键就不会不一致。",
        ],
    ),
    (
        "text-slip",
        &[
            "检查：朗读文本中没有插入任何值的花括号，例如 `{name}`、`$ {name}`、`$name}`、`%{name}` 或 `{% if … %}`。没有人会读出花括号，\n那里本来要放一个值。若 `name` 是流程的变量，`$name`、`$(name)` 和 `%name%` 也一样。聊天用的文本（`chat:`）里的花括号不受限制。\n在 `tag:`、`attach:`、`set:` 等处的值里，只有 `name` 是流程的变量时才会报告 `{name}`。",
        ],
    ),
    (
        "too-many-choices",
        &["检查：菜单播报的按键超过六个。来电者听到最后一个时，已经忘了第一个。"],
    ),
    (
        "two-verbs",
        &[
            "检查：一个步骤里有两个动词。映射里的顺序从不起作用，所以谁也说不清先做哪一个。",
            "写成列表，列表的顺序是算数的：",
        ],
    ),
    (
        "type-mismatch",
        &[
            "检查：值的类型和所需的不一样：文本和数字比大小，文本交给要数字的字段。任何值都不会被悄悄转换。",
        ],
    ),
    (
        "unassigned-variable",
        &[
            "检查：在某条路径上，变量还没有赋值就被读取。`as:` 的变量只在带有数据的结果之后才有值，在 `error` 或 `timeout`\n之后没有。",
            "帮助里列出了这条路径。让它走别处，或者在 `vars:` 里给变量一个默认值。",
            "`ask:` 只有在听到回答之后才有值：在 `confirm:` 和 `valid:` 里，名字是 `into:` 所写的和 `value`。`short:` 和 `reprompt:`\n是在没有听到合适的回答时说的，那里没有值。",
        ],
    ),
    (
        "unknown-destination",
        &[
            "检查：`transfer:` 的对象既不是项目里的服务商，也不是电话号码，也不是 SIP 地址。以 `sip:`、`sips:` 或 `tel:` 开头的必须能呼叫，单独的文件里也一样：`sip:desk@example.com`、`tel:+8613800138000`。",
        ],
    ),
    (
        "unknown-field",
        &["检查：按照提供方的说明，这个值没有这个字段。"],
    ),
    (
        "unknown-filter",
        &[
            "检查：`|` 之后的名字不是过滤器。过滤器有 `digits spell number ordinal money date time datetime\nphone duration percent last4 default upper lower length join`。",
        ],
    ),
    (
        "unknown-flow",
        &[
            "检查：`call:` 或 `flow:名字` 所指的流程不在项目里。",
            "名字是另一个文件里 `flow:` 之后所写的，不是文件名。",
        ],
    ),
    (
        "unknown-hours",
        &["检查：`hours:` 步骤用到的名字没有在流程的 `hours:` 里定义。"],
    ),
    ("unknown-input", &["检查：插件或被调用流程没有的输入。"]),
    (
        "unknown-key",
        &["检查：在所处位置没有意义的键。它会被悄悄忽略，而这绝不是作者想要的。"],
    ),
    (
        "unknown-outcome",
        &["检查：`then:` 里的一行对应步骤没有的结果，或者 `switch:` 永远见不到的值。"],
    ),
    (
        "unknown-plugin",
        &["检查：`use:` 所写的 `插件/步骤@主版本` 在项目的插件里都没有。"],
    ),
    (
        "unknown-prompt",
        &[
            "检查：该写提示的地方写了一个小写单词，却没有叫这个名字的提示。不是单个小写单词的内容就是要说的文本本身。",
            "写 `prompts:` 里某个提示的名字，或者直接写要说的话：`say: \"Hello.\"`",
        ],
    ),
    (
        "unknown-queue",
        &["检查：`queues.yaml` 里没有的队列。送到那里的来电者会被拒绝。"],
    ),
    (
        "unknown-step",
        &[
            "检查：去向不是本流程的步骤。除此之外，检查器会当作写的是最接近的名字继续检查，所以一处笔误只报一次。",
            "去向可以是 `steps:` 里的名字、去另一个流程的 `flow:名字`，以及听取按键的步骤里的 `repeat`。",
        ],
    ),
    (
        "unknown-variable",
        &[
            "检查：表达式里的名字既不是本流程的输入、变量，也不是 `as:` 或 `into:` 的名字，也不是始终存在的 `call` 和 `now`。",
        ],
    ),
    (
        "unknown-verb",
        &[
            "检查：步骤里没有引擎或标准插件认识的动词。每个步骤恰好有一个：`say`、`menu`、`ask`、`use` 等。",
            "客户的插件写作 `use: plugin/step@1`。",
        ],
    ),
    (
        "unreachable",
        &["检查：从起点没有任何路径能走到的步骤或动作。要么该有一条路通到这里，要么可以删掉。"],
    ),
    (
        "unused",
        &[
            "检查：定义了却从未使用的提示、变量或营业时间，测试里没有谁会用到的模拟，以及模拟里没有谁接收的数据。\n多半是改了一处的名字，忘了另一处。",
        ],
    ),
    (
        "unused-suppression",
        &[
            "检查：`# strowger: allow(规则) 理由` 所在之处该规则什么也没发现，或者没有这条规则，或者没写理由。\n留着它，会掩盖下一个真正的问题。",
        ],
    ),
    (
        "waits-for-ever",
        &[
            "检查：等满最长时间后又绕回自己的队列。来电者会一直等到 `max_duration`。（通过 `full`、`no_agents` 这类可能立刻出现的结果或 `else:` 绕回，不算等待，而是 `silent-loop`。）",
            "等一会儿之后提供别的选择：留言，或者回拨。",
        ],
    ),
    (
        "yaml-anchor",
        &[
            "检查：`&名字` 和 `*名字`。流程是给人从上往下读的；别名代表什么，还得去查，而且一改就是两处。",
            "给它起一个名字（步骤或提示），用两次这个名字。以 `&` 或 `*` 开头的文本要加引号。",
        ],
    ),
    (
        "yaml-braces",
        &[
            "检查：`{ }` 或 `[ ]` 里没有引号的 `${ … }`。对 YAML 来说，它的花括号又打开了一个映射。",
            "加上引号：",
            "单独占一行时，如 `phone: ${call.from}`，不需要引号。",
        ],
    ),
    (
        "yaml-colon",
        &[
            "检查：键后面没有冒号、冒号后面没有空格、多了一个冒号，或者写成了 `;`、` :`、` - `、` -> `、` = `。对 YAML 来说那是一段文本，不是键。由此引起的其他问题不再另报。",
            "只有补上缺少的符号就能消除那里的全部问题时才会报告，因此只检查不超过 64 KiB 的文件。",
        ],
    ),
    (
        "yaml-cut",
        &[
            "检查：没有引号的文本被 ` #` 截断。对 YAML 来说，空格之后的 `#` 开始一个注释，来电者永远听不到后面的话。",
            "加上引号：",
            "真正的注释在 `#` 之后有一个空格。",
            "还有 `press:` 的按键之中的 `#:`，后面跟着去处：这一行是注释，该键不起作用。它的名字是 `hash`。",
        ],
    ),
    (
        "yaml-documents",
        &[
            "检查：`---` 之后的第二个文档。一个文件就是一个流程，后面的内容不会被读取。",
            "把第二个流程放进它自己的文件。",
        ],
    ),
    (
        "yaml-encoding",
        &[
            "检查：不是 UTF-8 的字节，例如保存为 GBK 或 Latin-1 的文件。靠猜会让来电者听到错误的字词。",
            "本页放不下这样的字节，因此这里写成 `\\xHH`：保存为 GBK 的 `你好`。",
            "把文件保存为 UTF-8：",
        ],
    ),
    (
        "yaml-indent",
        &[
            "检查：某一行（或某一行连同它下面的内容）缩进多了或少了，因而不再属于原本要写的地方。由此引起的其他问题不再另报。",
            "只有移动它就能消除那里的全部问题时才会报告，因此只检查不超过 64 KiB 的文件。",
        ],
    ),
    (
        "yaml-key",
        &["检查：该写键的地方写了映射或列表，多半是没加引号的花括号留下的。"],
    ),
    (
        "yaml-limit",
        &[
            "检查：文件超过 1 MiB，或者值和符号超过 200,000 个，或者嵌套超过 64 层，或者一个键超过 1,024 个字符。人维护的流程远远达不到；\n这些限制使损坏的或恶意的文件不会耗费内存和时间。",
            "用 `call:` 拆分流程。",
        ],
    ),
    (
        "yaml-star-key",
        &[
            "检查：`press:` 的键里有 `*:`。对 YAML 来说，星号开始一个别名。",
            "写键的名字：",
            "也检查写成 `* say: Hello.` 的列表项，它以连字符开头：`- say: Hello.`",
        ],
    ),
    (
        "yaml-syntax",
        &[
            "检查：根本不能当作 YAML 读取的文本，例如没有闭合的引号或括号，或者缩进和周围都对不上的一行。",
            "也包括本想写注释的 `//`：注释以 `#` 开头。",
            "这样的地方之后什么也检查不了，所以它往往是唯一的发现。改好之后再检查一次。",
        ],
    ),
    (
        "yaml-tab",
        &[
            "检查：行首空白里的制表符。YAML 没有规定制表符有多宽，所以禁止这样用。",
            "请用空格，每级两个，并在编辑器里这样设置。",
        ],
    ),
    (
        "yaml-tag",
        &[
            "检查：值前面的 `!标签`。在流程里，值是什么由字段决定。",
            "去掉标签。以 `!` 开头的文本要加引号。",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::super::RULES;
    use super::page;

    #[test]
    fn every_page_is_translated_paragraph_for_paragraph() {
        for rule in RULES {
            let page = page(rule.slug, rule.page)
                .unwrap_or_else(|| panic!("{} lacks its page in Chinese", rule.slug));
            assert!(page.starts_with("检查："), "{}", rule.slug);
            let examples = |text: &str| text.matches("```").count();
            assert_eq!(examples(&page), examples(rule.page), "{}", rule.slug);
        }
    }
}
