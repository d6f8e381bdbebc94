//! How a container's program ends. Images are not run here: what the pod itself says decides.
//!
//! `sleep 5m` takes so long, `exit N` ends with this code and `false` with 1. Everything else succeeds after a moment. A shell's `;`,
//! `&&`, `||`, `|` and `-e` are followed; `$?` is the only variable, and what else cannot be read fails.

use std::time::Duration;

use serde_json::Value;

use super::super::object::list;

/// How long a program runs, and the code that it ends with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Program {
    pub(super) runs: Duration,
    pub(super) code: i64,
}

/// The longest a program runs.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The exit code of a container whose program could not be started, as kubelet reports it.
pub(super) const NOT_STARTED: i64 = 128;
/// No system has anything there: [Debian's policy](https://www.debian.org/doc/debian-policy/ch-opersys.html) makes it the home of users
/// that have none, and says that it must not exist.
const NOWHERE: &str = "/nonexistent/";

/// The program of a container, if its image cannot have it.
pub(super) fn missing(container: &Value) -> Option<&str> {
    list(container, "/command").first()?.as_str().filter(|program| program.starts_with(NOWHERE))
}

impl Program {
    /// One for another platform, which Linux does not run.
    pub(super) const FOREIGN: Self = Self { runs: super::STEP, code: 255 };

    /// The program of a container's `command` and `args`.
    pub(super) fn of(container: &Value) -> Self {
        let words = list(container, "/command").iter().chain(list(container, "/args")).filter_map(Value::as_str);
        let words: Vec<String> = words.map(str::to_owned).collect();
        let mut run = Run { took: super::STEP, status: 0, has_exited: false, stops_at_errors: false };
        run.command(&words, DEPTH);
        Self { runs: run.took.min(LONGEST), code: run.status }
    }
}

/// How many shells may be in one another.
const DEPTH: usize = 8;
/// What a shell ends with that cannot read its input.
const UNREADABLE: i64 = 2;

/// A program under way.
struct Run {
    took: Duration,
    /// How its last command ended.
    status: i64,
    has_exited: bool,
    stops_at_errors: bool,
}

impl Run {
    fn command(&mut self, words: &[String], depth: usize) {
        let Some((name, rest)) = words.split_first() else {
            return self.status = 0;
        };
        match name.rsplit('/').next().unwrap_or_default() {
            "sh" | "bash" | "ash" | "dash" => self.shell(rest, depth),
            "sleep" => self.sleep(rest),
            "exit" => self.exit(rest.first().map(String::as_str)),
            "set" if rest.iter().any(|flag| is_flag(flag, 'e')) => {
                (self.stops_at_errors, self.status) = (true, 0);
            }
            "false" => self.status = 1,
            _ => self.status = 0,
        }
    }

    fn shell(&mut self, words: &[String], depth: usize) {
        let flags = words.iter().take_while(|word| word.starts_with('-')).count();
        let reads = words[..flags].iter().any(|flag| is_flag(flag, 'c'));
        let (Some(script), true, Some(depth)) = (words.get(flags), reads, depth.checked_sub(1)) else {
            return self.status = 0;
        };
        let outer = std::mem::replace(&mut self.stops_at_errors, words[..flags].iter().any(|flag| is_flag(flag, 'e')));
        match steps(script) {
            Some(steps) => self.script(&steps, depth),
            None => self.status = UNREADABLE,
        }
        // The exit of an inner shell is no more than the status of a command.
        (self.stops_at_errors, self.has_exited) = (outer, false);
    }

    fn script(&mut self, steps: &[(Joint, Vec<String>)], depth: usize) {
        for (index, (joint, words)) in steps.iter().enumerate() {
            let runs = match joint {
                Joint::Next => true,
                Joint::And => self.status == 0,
                Joint::Or => self.status != 0,
            };
            if runs {
                self.command(words, depth);
            }
            let is_last = steps.get(index + 1).is_none_or(|(joint, _)| *joint == Joint::Next);
            if self.has_exited || (self.stops_at_errors && runs && is_last && self.status != 0) {
                return;
            }
        }
    }

    fn sleep(&mut self, times: &[String]) {
        let times: Option<Vec<Duration>> = times.iter().map(|time| time_of(time)).collect();
        self.status = i64::from(times.is_none());
        self.took += times.into_iter().flatten().fold(Duration::ZERO, Duration::saturating_add).min(LONGEST);
    }

    fn exit(&mut self, code: Option<&str>) {
        self.has_exited = true;
        self.status = match code {
            None | Some("$?") => self.status,
            Some(code) => code.parse().map_or(UNREADABLE, |code: i64| code & 0xff),
        };
    }
}

fn is_flag(word: &str, letter: char) -> bool {
    word.starts_with('-') && !word.starts_with("--") && word.contains(letter)
}

/// A time as `sleep` reads it: a number with a unit, or `infinity`.
fn time_of(text: &str) -> Option<Duration> {
    if matches!(text, "infinity" | "inf") {
        return Some(LONGEST);
    }
    let units = [('s', 1.0), ('m', 60.0), ('h', 3600.0), ('d', 86400.0)];
    let unit = units.iter().find(|(letter, _)| text.ends_with(*letter));
    let number = unit.map_or(text, |(letter, _)| text.trim_end_matches(*letter));
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds = number.parse::<f64>().ok().filter(|_| is_number)? * unit.map_or(1.0, |(_, seconds)| *seconds);
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST))
}

/// How a step follows the one before.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Joint {
    Next,
    And,
    Or,
}

/// The steps of a script, as words without their quotes; `None` if a quote has no end. Of a pipe, the last command counts.
fn steps(script: &str) -> Option<Vec<(Joint, Vec<String>)>> {
    let mut steps = vec![(Joint::Next, Vec::new())];
    let (mut word, mut quote): (Option<String>, Option<char>) = (None, None);
    let mut letters = script.chars().peekable();
    while let Some(letter) = letters.next() {
        if quote == Some(letter) {
            quote = None;
        } else if quote.is_some() {
            word.get_or_insert_default().push(letter);
        } else if matches!(letter, '"' | '\'') {
            quote = Some(letter);
            word.get_or_insert_default();
        } else if letter.is_whitespace() || matches!(letter, ';' | '&' | '|') {
            let words = &mut steps.last_mut()?.1;
            words.extend(word.take());
            let is_double = matches!(letter, '&' | '|') && letters.next_if_eq(&letter).is_some();
            match (letter, is_double) {
                ('&', true) => steps.push((Joint::And, Vec::new())),
                ('|', true) => steps.push((Joint::Or, Vec::new())),
                ('|', false) => words.clear(),
                ('\n' | ';' | '&', _) if !words.is_empty() => steps.push((Joint::Next, Vec::new())),
                _ => {}
            }
        } else {
            word.get_or_insert_default().push(letter);
        }
    }
    steps.last_mut()?.1.extend(word);
    steps.retain(|(_, words)| !words.is_empty());
    quote.is_none().then_some(steps)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_command_says_how_it_ends() {
        let of = |words: &[&str]| Program::of(&json!({"command": words}));
        let after = |seconds, code| Program { runs: Duration::from_secs(seconds), code };
        assert_eq!(of(&[]), after(1, 0));
        assert_eq!(of(&["false"]), after(1, 1));
        assert_eq!(of(&["sh", "-c", "sleep 4; exit 3"]), after(5, 3));
        assert_eq!(of(&["sh", "-c", "sleep 2 && echo exit"]), after(3, 0));
    }

    #[test]
    fn a_time_has_a_unit() {
        let of = |time: &str| Program::of(&json!({"command": ["sleep"], "args": [time]}));
        for (time, wanted) in
            [("5m", 301.0), ("0.5", 1.5), ("1.5h", 5401.0), ("2d", 172_801.0), ("10s", 11.0), (".5", 1.5)]
        {
            assert_eq!(of(time), Program { runs: Duration::from_secs_f64(wanted), code: 0 }, "{time}");
        }
        for time in ["infinity", "inf", "99999999999999999999d", "9d"] {
            assert_eq!(of(time), Program { runs: LONGEST, code: 0 }, "{time}");
        }
        for time in ["", "x", "-1", "5 m", "1e3", "nan", "m", "$TIME"] {
            assert_eq!(of(time), Program { runs: super::super::STEP, code: 1 }, "{time}");
        }
    }

    /// The codes are those of dash 0.5.12, except that an exit with an unknown variable fails.
    #[test]
    fn a_script_ends_as_in_a_shell() {
        let code =
            |flags: &str, script: &str| Program::of(&json!({"command": ["/bin/sh", flags], "args": [script]})).code;
        for (script, wanted) in [
            ("false; echo ok", 0),
            ("false || true", 0),
            ("false || exit 4", 4),
            ("true || exit 4", 0),
            ("false && exit 4", 1),
            ("false && true; exit $?", 1),
            ("exit", 0),
            ("false; exit", 1),
            ("exit \"1\"", 1),
            ("exit '3'", 3),
            ("exit 256", 0),
            ("exit $CODE", 2),
            ("exit abc", 2),
            ("echo 'a; exit 3'", 0),
            ("echo 'a", 2),
            ("false | true", 0),
            ("true | false", 1),
            ("sh -c 'exit 5' || exit 6", 6),
            ("sh -c 'exit 5'", 5),
            ("true\nfalse\n", 1),
            ("set -e; false; exit 7", 1),
            ("/bin/false", 1),
        ] {
            assert_eq!(code("-c", script), wanted, "{script}");
        }
        assert_eq!(code("-ec", "false; exit 7"), 1);
        assert_eq!(code("-ec", "false || true; exit 7"), 7);
        assert_eq!(code("-ec", "false && true; exit 7"), 7);
        // Without a shell, nothing in the words is one.
        assert_eq!(Program::of(&json!({"command": ["echo", "; exit 3"]})).code, 0);
    }
}
