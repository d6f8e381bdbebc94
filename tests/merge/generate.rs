//! Kubeconfig files as people and programs write them, in pieces of which it is known whose they are.

use proptest::prelude::*;

/// Whose a piece of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// It must stay, byte for byte.
    Others,
    /// An entry of ours, which may be replaced.
    Ours,
    /// A line that says what is to be changed: the current context, or that a list is empty.
    Line,
}

/// A file, in lines.
#[derive(Clone, Debug)]
pub struct Generated {
    pub lines: Vec<(Whose, String)>,
    pub crlf: bool,
    pub bom: bool,
    pub final_newline: bool,
}

impl Generated {
    pub fn text(&self) -> String {
        let eol = if self.crlf { "\r\n" } else { "\n" };
        let lines: Vec<&str> = self.lines.iter().map(|(_, line)| line.as_str()).collect();
        let end = if self.final_newline && !lines.is_empty() { eol } else { "" };
        format!("{}{}{end}", if self.bom { "\u{feff}" } else { "" }, lines.join(eol))
    }
}

type Lines = Vec<(Whose, String)>;

fn comment() -> impl Strategy<Value = Lines> {
    let one = (0_usize..9, "[ -~]{0,30}").prop_map(|(blank, text)| format!("{}#{text}", " ".repeat(blank)));
    let line = prop_oneof![4 => one, 2 => Just(String::new()), 1 => Just("   ".to_owned())];
    prop_oneof![
        3 => Just(Vec::new()),
        1 => prop::collection::vec(line.prop_map(|line| (Whose::Others, line)), 1..4),
    ]
}

fn quoted(name: &str, style: u8) -> String {
    match style {
        0 => format!("'{name}'"),
        1 => format!("\"{name}\""),
        2 => format!("{name}   # a name"),
        _ => name.to_owned(),
    }
}

/// The content of an entry of others, in one of the forms that are found in the field.
fn content(list: &str, form: u8) -> Vec<String> {
    let lines: &[&str] = match (list, form) {
        ("clusters", 0) => &["{server: https://a.example, insecure-skip-tls-verify: true} # odd"],
        ("clusters", 1) => {
            &["", "  server:    \"https://a.example\"   # quoted", "  # a comment inside", "  tls-server-name: null"]
        }
        ("clusters", _) => &["", "    certificate-authority-data: QUJD", "    server: https://a.example:6443"],
        ("contexts", 0) => &["", "  cluster: a", "  namespace: 'it''s'", "  user: \"b\\u0041\""],
        ("contexts", 1) => &["{cluster: a,", "    user: b}"],
        ("contexts", _) => {
            &["", "    user: b", "    cluster: a", "    extensions: [{name: x, extension: {y: [1, 2]}}]"]
        }
        (_, 0) => &[
            "",
            "  exec:",
            "    command: aws",
            "    args:",
            "    - eks",
            "    # which",
            "    - get-token",
            "    env: null",
        ],
        (_, 1) => &["", "  token: |-", "    # no comment", "    abc", "", "    def"],
        (_, 2) => &["", "  token: >", "    abc", "    def", ""],
        (_, 3) => &["", "  password: \"a long", "    one: #no comment\"", "  username: &me x", "  impersonate: *me"],
        (_, _) => &["", "    auth-provider: {config: {}, name: gcp}"],
    };
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn entry(list: &'static str, key: &'static str, indent: usize) -> impl Strategy<Value = Lines> {
    let name = "[a-z][a-z0-9._-]{1,8}[a-z]".prop_map(|name| format!("other-{name}"));
    (name, 0_u8..5, 0_u8..6, any::<bool>(), any::<bool>(), comment()).prop_map(
        move |(name, style, form, name_first, own_line, above)| {
            let blank = " ".repeat(indent);
            let name = format!("name: {}", quoted(&name, style));
            let mut body = content(list, form);
            let head = std::mem::take(&mut body[0]);
            let mut inner = vec![format!("{key}: {head}").trim_end().to_owned()];
            inner.extend(body);
            if name_first {
                inner.insert(0, name);
            } else {
                inner.push(name);
            }
            let mut lines = above;
            if own_line {
                lines.push((Whose::Others, format!("{blank}-")));
            }
            lines.extend(inner.into_iter().enumerate().map(|(at, line)| {
                let dash = if at == 0 && !own_line { "- " } else { "  " };
                let line = if line.is_empty() { line } else { format!("{blank}{dash}{line}") };
                (Whose::Others, line)
            }));
            lines
        },
    )
}

/// An entry of ours as an earlier run of another caller left it, with something else in it.
fn ours(list: &str, key: &str, indent: usize) -> Lines {
    let name = if list == "users" { "clusterUser_group_dev" } else { "dev" };
    let blank = " ".repeat(indent);
    let lines = [
        format!("{blank}- name: '{name}'"),
        format!("{blank}  {key}: {{server: https://old, cluster: x, user: y}} # old"),
    ];
    lines.map(|line| (Whose::Ours, line)).to_vec()
}

fn list(list: &'static str, key: &'static str) -> impl Strategy<Value = Lines> {
    let empty = prop_oneof![Just(" []"), Just(""), Just(" null"), Just(" ~  # none"), Just(" [ ]   # none")];
    let empty = empty.prop_map(move |value| vec![(Whose::Line, format!("{list}:{value}"))]);
    let full = prop_oneof![Just(0_usize), Just(2), Just(4)].prop_flat_map(move |indent| {
        let entries = prop::collection::vec(entry(list, key, indent), 1..4);
        (entries, prop::option::of(0_usize..4), comment()).prop_map(move |(mut entries, at, after)| {
            if let Some(at) = at {
                entries.insert(at.min(entries.len()), ours(list, key, indent));
            }
            let mut lines = vec![(Whose::Others, format!("{list}:"))];
            lines.extend(entries.into_iter().flatten());
            lines.extend(after);
            lines
        })
    });
    prop_oneof![1 => Just(Vec::new()), 2 => empty, 6 => full]
}

fn current() -> impl Strategy<Value = Lines> {
    let values = ["", " \"\"", " null", " other", " 'dev'", " dev", " \"other\"   # mine", "   # none"];
    let line = prop::sample::select(values.to_vec());
    let line = line.prop_map(|value| vec![(Whose::Line, format!("current-context:{value}"))]);
    prop_oneof![1 => Just(Vec::new()), 6 => line]
}

fn rest() -> impl Strategy<Value = Lines> {
    let forms = [
        vec!["preferences: {}"],
        vec!["extensions:", "- name: x", "  extension: |+", "    text", "", "# end"],
        vec!["\"kind\": Config"],
        vec!["apiVersion: v1   # as ever", "'x-mine' : [1,", "  2]"],
    ];
    let lines = |form: Vec<&'static str>| form.into_iter().map(|line| (Whose::Others, line.to_owned())).collect();
    prop::sample::select(forms.to_vec()).prop_map(lines)
}

/// A whole file.
pub fn file() -> impl Strategy<Value = Generated> {
    let parts = (
        comment(),
        list("clusters", "cluster"),
        list("contexts", "context"),
        list("users", "user"),
        current(),
        rest(),
        comment(),
    );
    let order = Just(vec![0_usize, 1, 2, 3, 4]).prop_shuffle();
    let marks = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (parts, order, marks).prop_map(|(parts, order, (crlf, bom, final_newline, head))| {
        let (before, clusters, contexts, users, current, rest, after) = parts;
        let all = [clusters, contexts, users, current, rest];
        let mut lines = before;
        if head {
            lines.push((Whose::Others, "---".to_owned()));
        }
        for at in order {
            lines.extend(all[at].clone());
        }
        lines.extend(after);
        Generated { lines, crlf, bom, final_newline }
    })
}
