//! The language of queries: a table, and operators on its rows. See [the query
//! language](https://learn.microsoft.com/azure/governance/resource-graph/concepts/query-language). What is not known here is an error, never
//! a query for something else.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::token::{Token, tokens};

/// A query, taken apart.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) table: String,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    /// Rows that pass all tests.
    Where(Vec<Test>),
    Project(Vec<(String, Term)>),
    /// New columns beside those of the row.
    Extend(Vec<(String, Term)>),
    Order {
        by: Term,
        is_ascending: bool,
    },
    Take(usize),
}

#[derive(Debug)]
struct Test {
    left: Term,
    operator: String,
    /// One, or the items of a list.
    right: Vec<Term>,
}

#[derive(Debug)]
enum Term {
    /// A column, and the names within it.
    Column(Vec<String>),
    Text(String),
    Call {
        function: Function,
        of: Box<Term>,
    },
    /// `ago`: a time.
    Time(SystemTime),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Text,
    Lower,
    Time,
}

/// The columns that every row has. See [the schema of
/// `resources`](https://learn.microsoft.com/azure/governance/resource-graph/concepts/explore-resources).
const COLUMNS: [&str; 15] = [
    "id",
    "name",
    "type",
    "tenantId",
    "kind",
    "location",
    "resourceGroup",
    "subscriptionId",
    "managedBy",
    "sku",
    "plan",
    "properties",
    "tags",
    "identity",
    "zones",
];
const OPERATORS: [&str; 8] = ["==", "=~", "!=", "!~", "contains", "!contains", "startswith", "endswith"];
/// Of a list in brackets.
const LIST_OPERATORS: [&str; 2] = ["in", "in~"];
/// Of times.
const TIME_OPERATORS: [&str; 4] = ["<", "<=", ">", ">="];

impl Query {
    /// Reads a query that is sent at a time.
    pub(super) fn parse(text: &str, now: SystemTime) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let mut parts = tokens.split(|token| *token == Token::Sign("|".into()));
        let table = match parts.next() {
            Some([Token::Word(table)]) => table.to_ascii_lowercase(),
            other => return Err(format!("a table is expected, not {other:?}")),
        };
        let mut columns = COLUMNS.map(str::to_owned).to_vec();
        let step = |part| Parser { rest: part, columns: &mut columns, now }.step();
        let steps = parts.map(step).collect::<Result<_, _>>()?;
        Ok(Self { table, steps })
    }

    /// The rows that are left, and whether each still has its ID.
    pub(super) fn run(&self, mut rows: Vec<Value>) -> (Vec<Value>, bool) {
        let mut has_id = true;
        for step in &self.steps {
            match step {
                Step::Where(tests) => rows.retain(|row| tests.iter().all(|test| test.passes(row))),
                Step::Project(columns) => {
                    has_id = columns.iter().any(|(name, _)| name == "id");
                    let project = |row: &Value| -> Map<String, Value> {
                        columns.iter().map(|(name, term)| (name.clone(), term.of(row))).collect()
                    };
                    rows = rows.iter().map(|row| Value::Object(project(row))).collect();
                }
                Step::Extend(columns) => {
                    for row in &mut rows {
                        let new: Vec<(&String, Value)> =
                            columns.iter().map(|(name, term)| (name, term.of(row))).collect();
                        for (name, value) in new {
                            row[name.as_str()] = value;
                        }
                    }
                }
                Step::Order { by, is_ascending } => {
                    rows.sort_by_key(|row| by.text(row));
                    if !is_ascending {
                        rows.reverse();
                    }
                }
                Step::Take(count) => rows.truncate(*count),
            }
        }
        (rows, has_id)
    }
}

struct Parser<'t, 'c> {
    rest: &'t [Token],
    /// The columns that the rows have.
    columns: &'c mut Vec<String>,
    now: SystemTime,
}

impl Parser<'_, '_> {
    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first.clone())
    }

    fn word(&mut self) -> Result<String, String> {
        match self.next() {
            Some(Token::Word(word)) => Ok(word),
            other => Err(format!("a name is expected, not {other:?}")),
        }
    }

    /// Takes a word or sign if it is next.
    fn takes(&mut self, wanted: &str) -> bool {
        let is_next = match self.rest.first() {
            Some(Token::Word(found)) => found.eq_ignore_ascii_case(wanted),
            Some(Token::Sign(found)) => found == wanted,
            _ => false,
        };
        if is_next {
            self.next();
        }
        is_next
    }

    fn step(mut self) -> Result<Step, String> {
        let step = match self.word()?.to_ascii_lowercase().as_str() {
            "where" => Step::Where(self.list("and", Self::test)?),
            "project" => {
                let columns = self.list(",", Self::column)?;
                *self.columns = columns.iter().map(|(name, _)| name.clone()).collect();
                Step::Project(columns)
            }
            "extend" => {
                // A column is known after the operator only: see
                // https://learn.microsoft.com/kusto/query/extend-operator.
                let columns = self.list(",", Self::column)?;
                self.columns.extend(columns.iter().map(|(name, _)| name.clone()));
                Step::Extend(columns)
            }
            "order" | "sort" if self.takes("by") => {
                let by = self.term()?;
                let is_ascending = self.takes("asc");
                let _ = is_ascending || self.takes("desc");
                Step::Order { by, is_ascending }
            }
            "limit" | "take" => {
                let count = self.word()?;
                Step::Take(count.parse().map_err(|_| format!("'{count}' is no number"))?)
            }
            other => return Err(format!("the operator '{other}' is not known")),
        };
        self.rest.first().map_or(Ok(step), |left| Err(format!("{left:?} is not expected here")))
    }

    fn list<T>(&mut self, between: &str, one: fn(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        let mut all = vec![one(self)?];
        while self.takes(between) {
            all.push(one(self)?);
        }
        Ok(all)
    }

    fn test(&mut self) -> Result<Test, String> {
        let left = self.term()?;
        let operator = match self.next() {
            Some(Token::Word(word) | Token::Sign(word)) => word.to_ascii_lowercase(),
            other => return Err(format!("an operator is expected, not {other:?}")),
        };
        let known = |all: &[&str]| all.contains(&operator.as_str());
        let right = if known(&LIST_OPERATORS) {
            if !self.takes("(") {
                return Err("'(' is expected".into());
            }
            let all = self.list(",", Self::term)?;
            if !self.takes(")") {
                return Err("')' is expected".into());
            }
            all
        } else if known(&OPERATORS) || known(&TIME_OPERATORS) {
            vec![self.term()?]
        } else {
            return Err(format!("the operator '{operator}' is not known"));
        };
        if known(&TIME_OPERATORS) && !(left.may_be_time() && right.iter().all(Term::may_be_time)) {
            return Err(format!("the operator '{operator}' is known for times only"));
        }
        Ok(Test { left, operator, right })
    }

    /// A column of the result: one with its own name, or `name = term`.
    fn column(&mut self) -> Result<(String, Term), String> {
        if let [Token::Word(name), Token::Sign(sign), ..] = self.rest
            && sign == "="
        {
            let name = name.clone();
            self.rest = &self.rest[2..];
            return Ok((name, self.term()?));
        }
        let term = self.term()?;
        Ok((term.name(), term))
    }

    fn term(&mut self) -> Result<Term, String> {
        let word = match self.next() {
            Some(Token::Text(text)) => return Ok(Term::Text(text)),
            Some(Token::Word(word)) => word,
            other => return Err(format!("a column or a text is expected, not {other:?}")),
        };
        if self.takes("(") {
            let function = match word.to_ascii_lowercase().as_str() {
                "tolower" => Function::Lower,
                "tostring" => Function::Text,
                "todatetime" => Function::Time,
                "ago" => {
                    let span = span(&self.word()?)?;
                    let at = self.now.checked_sub(span).ok_or("the time is too early")?;
                    return if self.takes(")") { Ok(Term::Time(at)) } else { Err("')' is expected".into()) };
                }
                other => return Err(format!("the function '{other}' is not known")),
            };
            let of = Box::new(self.term()?);
            return if self.takes(")") { Ok(Term::Call { function, of }) } else { Err("')' is expected".into()) };
        }
        if !self.columns.contains(&word) {
            return Err(format!("Failed to resolve column or scalar expression named '{word}'"));
        }
        let mut path = vec![word];
        loop {
            if self.takes(".") {
                path.push(self.word()?);
            } else if self.takes("[") {
                let Some(Token::Text(name)) = self.next() else { return Err("a name in quotes is expected".into()) };
                path.push(name);
                if !self.takes("]") {
                    return Err("']' is expected".into());
                }
            } else {
                return Ok(Term::Column(path));
            }
        }
    }
}

/// A span of time, such as `14d`: see [timespan](https://learn.microsoft.com/kusto/query/scalar-data-types/timespan).
fn span(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).unwrap_or((text, ""));
    let seconds = match unit {
        "d" => 24 * 60 * 60,
        "h" => 60 * 60,
        "m" => 60,
        "s" => 1,
        _ => return Err(format!("'{text}' is no span of time")),
    };
    let number: u32 = number.parse().map_err(|_| format!("'{text}' is no span of time"))?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

/// A time as Azure shows it, of one length, so that their texts are in their order.
fn shown(at: SystemTime) -> String {
    let at = OffsetDateTime::from(at);
    let (date, (hour, minute, second, nano)) = (at.date(), at.to_hms_nano());
    format!("{date}T{hour:02}:{minute:02}:{second:02}.{:07}Z", nano / 100)
}

impl Term {
    /// Whether it may be a time. What a new column has is not known here.
    fn may_be_time(&self) -> bool {
        match self {
            Self::Call { function, .. } => *function == Function::Time,
            Self::Time(_) => true,
            Self::Column(path) => path.len() == 1 && !COLUMNS.contains(&path[0].as_str()),
            Self::Text(_) => false,
        }
    }

    fn of(&self, row: &Value) -> Value {
        match self {
            Self::Column(path) => path.iter().fold(row, |value, name| &value[name.as_str()]).clone(),
            Self::Text(text) => Value::String(text.clone()),
            // What is no time is null.
            Self::Call { function: Function::Time, .. } => {
                Some(self.text(row)).filter(|text| !text.is_empty()).map_or(Value::Null, Value::String)
            }
            Self::Call { .. } | Self::Time(_) => Value::String(self.text(row)),
        }
    }

    fn text(&self, row: &Value) -> String {
        match self {
            Self::Call { function: Function::Lower, of } => of.text(row).to_lowercase(),
            Self::Call { function: Function::Text, of } => of.text(row),
            Self::Call { function: Function::Time, of } => {
                let read = OffsetDateTime::parse(&of.text(row), &Rfc3339).ok();
                read.map(|at| shown(at.into())).unwrap_or_default()
            }
            Self::Time(at) => shown(*at),
            _ => match self.of(row) {
                Value::String(text) => text,
                Value::Null => String::new(),
                other => other.to_string(),
            },
        }
    }

    /// The name of a column that has no other.
    fn name(&self) -> String {
        match self {
            Self::Column(path) => path.join("_"),
            Self::Text(_) | Self::Time(_) => "Column1".to_owned(),
            Self::Call { of, .. } => of.name(),
        }
    }
}

impl Test {
    fn passes(&self, row: &Value) -> bool {
        let left = self.left.text(row);
        self.right.iter().any(|right| self.holds(&left, &right.text(row)))
    }

    fn holds(&self, left: &str, right: &str) -> bool {
        let (low, wanted) = (left.to_lowercase(), right.to_lowercase());
        // A comparison with what is no time is false.
        let are_times = !left.is_empty() && !right.is_empty();
        match self.operator.as_str() {
            "==" | "in" => left == right,
            "!=" => left != right,
            "<" => are_times && left < right,
            "<=" => are_times && left <= right,
            ">" => are_times && left > right,
            ">=" => are_times && left >= right,
            "=~" | "in~" => low == wanted,
            "!~" => low != wanted,
            "contains" => low.contains(&wanted),
            "!contains" => !low.contains(&wanted),
            "startswith" => low.starts_with(&wanted),
            _ => low.ends_with(&wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows() -> Vec<Value> {
        vec![
            json!({"id": "/b", "type": "microsoft.network/a", "properties": {"virtualNetwork": {"id": "/Net's"}}}),
            json!({"id": "/a", "type": "microsoft.network/a", "properties": {"virtualNetwork": {"id": "/other"}}}),
            json!({"id": "/c", "type": "microsoft.network/b", "properties": {}}),
        ]
    }

    fn run(text: &str) -> Result<(Vec<Value>, bool), String> {
        Query::parse(text, SystemTime::UNIX_EPOCH + Duration::from_secs(60)).map(|query| query.run(rows()))
    }

    #[test]
    fn times_are_compared() -> Result<(), String> {
        let times = "resources | extend at = todatetime(tags.at), kinds = tostring(tags['the kind'])";
        let rows = || {
            let row = |id: &str, at: &str| json!({"id": id, "tags": {"at": at, "the kind": "x"}});
            vec![row("/a", "1970-01-01T00:00:10Z"), row("/b", "1970-01-01T00:00:50.5+00:00"), row("/c", "never")]
        };
        let run = |text: &str| {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(60);
            let (rows, _) = Query::parse(&format!("{times} | {text}"), now)?.run(rows());
            Ok::<_, String>(
                rows.iter().map(|row| row["id"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>(),
            )
        };
        assert_eq!(run("where at > ago(20s)")?, ["/b"]);
        assert_eq!(run("where at <= todatetime('1970-01-01T00:00:10Z') and kinds == 'x'")?, ["/a"]);
        assert_eq!(run("where id in~ ('/A', '/C') | order by at desc | project id")?, ["/a", "/c"]);
        assert_eq!(run("where id in ('/A', '/c')")?, ["/c"]);
        assert!(run("where at > '1970-01-01T00:00:10Z'").is_err(), "a text is no time");
        assert!(run("project id | where at > ago(20s)").is_err(), "the column is gone");
        Ok(())
    }

    #[test]
    fn rows_are_tested_ordered_and_projected() -> Result<(), String> {
        let all = run("Resources | where type =~ 'Microsoft.Network/A' | order by id asc | project id")?;
        assert_eq!(all, (vec![json!({"id": "/a"}), json!({"id": "/b"})], true));
        let one = run(r"resources | where tostring(properties.virtualNetwork.id) =~ '/net\'s' and id contains 'B'")?;
        assert_eq!(one.0.len(), 1);
        let named =
            run("resources | order by id | limit 1 | project type, properties.virtualNetwork.id, x = tolower(id)")?;
        assert_eq!(
            named,
            (vec![json!({"type": "microsoft.network/b", "properties_virtualNetwork_id": null, "x": "/c"})], false)
        );
        assert_eq!(run("resources | where type == 'microsoft.network/A'")?.0.len(), 0);
        assert_eq!(run("resources | where type !contains 'NETWORK/b'")?.0.len(), 2);
        Ok(())
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        for text in [
            "",
            "resources |",
            "resources | summarize count()",
            "resources | where type has 'a'",
            "resources | where id > 'a'",
            "resources | where type in~ 'a'",
            "resources | where type in~ ('a'",
            "resources | extend x = ago(2weeks)",
            "resources | extend x = id, y = x",
            "resources | where tags[0] == 'a'",
            "resources | where nothing == 'a'",
            "resources | where type == 'a",
            "resources | where type == 'a' or type == 'b'",
            "resources | where toupper(type) == 'a'",
            "resources | project id,",
            "resources | take many",
            "resources ; x",
        ] {
            assert!(run(text).is_err(), "{text}");
        }
    }
}
