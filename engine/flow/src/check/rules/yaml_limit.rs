use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a file over 1 MiB, with more than 200,000 values and marks, nested deeper than 64 levels, or with a key of more
    /// than 1,024 characters.
    /// No flow that people maintain comes near; the limits keep a broken or hostile file from costing memory
    /// and time.
    ///
    /// ```yaml
    /// list: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
    /// ```
    ///
    /// Split the flow with `call:`.
    ///
    /// ```yaml
    /// main:
    ///   call: order-status
    ///   then: { else: bye }
    /// ```
    YAML_LIMIT = "yaml-limit", Error, "the file is too large", "文件过大"
}

pub(crate) fn too_large(report: &mut Report<'_>, bytes: usize, limit: usize) {
    report
        .find(
            &YAML_LIMIT,
            Span::default(),
            text!(
                "the file has {bytes} bytes; at most {limit} are read",
                "文件有 {bytes} 字节；最多读取 {limit} 字节"
            ),
        )
        .help(text!(
            "split the flow with `call:`",
            "请用 `call:` 拆分流程"
        ));
}

pub(crate) fn too_many_events(report: &mut Report<'_>, at: Span, limit: usize) {
    report
        .find(
            &YAML_LIMIT,
            at,
            text!(
                "the file has more than {limit} values and marks",
                "文件中的值和标记超过 {limit} 个"
            ),
        )
        .here(text!("this is the first too many", "从这里开始超出"))
        .help(text!(
            "split the flow: put a part of its steps into another file, and lead there by `call:`",
            "请拆分流程：把一部分步骤放进另一个文件，用 `call:` 调用"
        ));
}

pub(crate) fn long_key(report: &mut Report<'_>, at: Span, chars: usize, limit: usize) {
    report
        .find(
            &YAML_LIMIT,
            at,
            text!(
                "this key has {chars} characters; YAML takes at most {limit}",
                "这个键有 {chars} 个字符；YAML 最多允许 {limit} 个"
            ),
        )
        .help(text!(
            "give it a shorter name; what a step or a test is for is said by `title:`",
            "请起一个短一些的名字；步骤或测试的用途写在 `title:` 里"
        ));
}

pub(crate) fn too_deep(report: &mut Report<'_>, at: Span, limit: usize) {
    report
        .find(
            &YAML_LIMIT,
            at,
            text!(
                "this is nested deeper than {limit} levels",
                "嵌套超过 {limit} 层"
            ),
        )
        .help(text!(
            "a flow needs fewer than ten: give inner lists a step name of their own",
            "流程一般不超过十层：请为内层列表单独命名步骤"
        ));
}
