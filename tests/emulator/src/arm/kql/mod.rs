//! The language of queries: tables, and operators on their rows. See [KQL](https://learn.microsoft.com/kusto/query/) and [what of it Resource
//! Graph has](https://learn.microsoft.com/azure/governance/resource-graph/concepts/query-language). What is not known here is an error, never
//! a query for something else.

mod token;

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use self::token::{Token, tokens};

/// A query, taken apart.
#[derive(Debug)]
pub(super) struct Query {
    /// More than one, or one whose rows a `union` takes.
    pub(super) tables: Vec<String>,
    pub(super) is_union: bool,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    /// Rows that pass all tests of one list.
    Where(Vec<Vec<Test>>),
    Project(Vec<(String, Term)>),
    /// New columns beside those of the row.
    Extend(Vec<(String, Term)>),
    Order {
        by: Term,
        is_ascending: bool,
    },
    Take(usize),
    /// The first rows of an order.
    Top {
        count: usize,
        by: Term,
        is_ascending: bool,
    },
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
    /// A column, or a text if the tables do not have it.
    IfExists {
        column: String,
        otherwise: String,
    },
    /// `ago` or `datetime`: a time.
    Time(SystemTime),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Text,
    Lower,
    Time,
}

/// The one column of these tables that is a time. New columns may be times, too.
const TIME: &str = "TimeGenerated";
const OPERATORS: [&str; 9] = ["==", "=~", "!=", "!~", "contains", "!contains", "startswith", "!startswith", "endswith"];
/// Of a list in brackets.
const LIST_OPERATORS: [&str; 2] = ["in", "in~"];
/// Of times.
const TIME_OPERATORS: [&str; 4] = ["<", "<=", ">", ">="];

impl Query {
    /// Reads a query that is sent at a time. The columns that it can name are those of its tables.
    pub(super) fn parse<'c>(
        text: &str,
        now: SystemTime,
        columns: impl FnOnce(&[String]) -> Result<Vec<&'c str>, String>,
    ) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let mut parts = tokens.split(|token| *token == Token::Sign("|".into()));
        let (tables, is_union) = tables(parts.next().unwrap_or_default(), now)?;
        let own: Vec<String> = columns(&tables)?.into_iter().map(str::to_owned).collect();
        let mut columns = own.clone();
        let step = |part| Parser { rest: part, own: &own, columns: &mut columns, now }.step();
        let steps = parts.map(step).collect::<Result<_, _>>()?;
        Ok(Self { tables, is_union, steps })
    }

    /// The names of the columns that the result has, if the query chooses them.
    pub(super) fn columns(&self) -> Option<Vec<&str>> {
        self.steps.iter().rev().find_map(|step| match step {
            Step::Project(columns) => Some(columns.iter().map(|(name, _)| name.as_str()).collect()),
            _ => None,
        })
    }

    /// The rows that are left, and whether each still has its ID.
    pub(super) fn run(&self, mut rows: Vec<Value>) -> (Vec<Value>, bool) {
        let mut has_id = true;
        for step in &self.steps {
            match step {
                Step::Where(any) => rows.retain(|row| any.iter().any(|all| all.iter().all(|test| test.passes(row)))),
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
                Step::Order { by, is_ascending } => order(&mut rows, by, *is_ascending),
                Step::Take(count) => rows.truncate(*count),
                Step::Top { count, by, is_ascending } => {
                    order(&mut rows, by, *is_ascending);
                    rows.truncate(*count);
                }
            }
        }
        (rows, has_id)
    }
}

fn order(rows: &mut [Value], by: &Term, is_ascending: bool) {
    rows.sort_by_key(|row| by.text(row));
    if !is_ascending {
        rows.reverse();
    }
}

/// The tables of a query, and whether it is a `union`. One that is `isfuzzy` takes what it finds.
fn tables(tokens: &[Token], now: SystemTime) -> Result<(Vec<String>, bool), String> {
    let mut parser = Parser { rest: tokens, own: &[], columns: &mut Vec::new(), now };
    let first = parser.word()?;
    if !first.eq_ignore_ascii_case("union") {
        return if parser.rest.is_empty() {
            Ok((vec![first], false))
        } else {
            Err(format!("'{first}' is not a table"))
        };
    }
    if parser.takes("isfuzzy") && !(parser.takes("=") && parser.takes("true")) {
        return Err("'isfuzzy=true' is expected".into());
    }
    let tables = parser.list(",", Parser::word)?;
    if parser.rest.is_empty() { Ok((tables, true)) } else { Err("a table is expected".into()) }
}

struct Parser<'t, 'c> {
    rest: &'t [Token],
    /// The columns of the tables.
    own: &'c [String],
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
            "where" => Step::Where(self.list("or", |one| one.list("and", Self::test))?),
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
                let (by, is_ascending) = self.by()?;
                Step::Order { by, is_ascending }
            }
            "limit" | "take" => Step::Take(self.count()?),
            "top" => {
                let count = self.count()?;
                if !self.takes("by") {
                    return Err("'by' is expected".into());
                }
                let (by, is_ascending) = self.by()?;
                Step::Top { count, by, is_ascending }
            }
            other => return Err(format!("the operator '{other}' is not known")),
        };
        self.rest.first().map_or(Ok(step), |left| Err(format!("{left:?} is not expected here")))
    }

    fn by(&mut self) -> Result<(Term, bool), String> {
        let by = self.term()?;
        let is_ascending = self.takes("asc");
        let _ = is_ascending || self.takes("desc");
        Ok((by, is_ascending))
    }

    fn count(&mut self) -> Result<usize, String> {
        let count = self.word()?;
        count.parse().map_err(|_| format!("'{count}' is no number"))
    }

    /// Whether a term may be a time. What a new column has is not known here.
    fn may_be_time(&self, term: &Term) -> bool {
        match term {
            Term::Call { function, .. } => *function == Function::Time,
            Term::Time(_) => true,
            Term::Column(path) => path.len() == 1 && (path[0] == TIME || !self.own.contains(&path[0])),
            Term::Text(_) | Term::IfExists { .. } => false,
        }
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
        if known(&TIME_OPERATORS) && !(self.may_be_time(&left) && right.iter().all(|one| self.may_be_time(one))) {
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
            Some(Token::Time(text)) => {
                let time = time(&text).ok_or_else(|| format!("'{text}' is no time"))?;
                return Ok(Term::Time(time.into()));
            }
            Some(Token::Word(word)) => word,
            other => return Err(format!("a column or a text is expected, not {other:?}")),
        };
        if word == "column_ifexists"
            && let [
                Token::Sign(open),
                Token::Text(column),
                Token::Sign(comma),
                Token::Text(text),
                Token::Sign(close),
                ..,
            ] = self.rest
            && (open.as_str(), comma.as_str(), close.as_str()) == ("(", ",", ")")
        {
            let term = Term::IfExists { column: column.clone(), otherwise: text.clone() };
            self.rest = &self.rest[5..];
            return Ok(term);
        }
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

fn time(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// A time as Azure shows it, of one length, so that their texts are in their order.
fn shown(at: SystemTime) -> String {
    let at = OffsetDateTime::from(at);
    let (date, (hour, minute, second, nano)) = (at.date(), at.to_hms_nano());
    format!("{date}T{hour:02}:{minute:02}:{second:02}.{:07}Z", nano / 100)
}

impl Term {
    fn of(&self, row: &Value) -> Value {
        match self {
            Self::Column(path) => path.iter().fold(row, |value, name| &value[name.as_str()]).clone(),
            Self::Text(text) => Value::String(text.clone()),
            Self::IfExists { column, otherwise } => {
                row.get(column).cloned().unwrap_or_else(|| Value::String(otherwise.clone()))
            }
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
                time(&of.text(row)).map(|at| shown(at.into())).unwrap_or_default()
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
            Self::IfExists { column, .. } => column.clone(),
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
        let times = |holds: fn(&OffsetDateTime, &OffsetDateTime) -> bool| {
            time(left).zip(time(right)).is_some_and(|(left, right)| holds(&left, &right))
        };
        match self.operator.as_str() {
            "==" | "in" => left == right,
            "!=" => left != right,
            "<" => times(OffsetDateTime::lt),
            "<=" => times(OffsetDateTime::le),
            ">" => times(OffsetDateTime::gt),
            ">=" => times(OffsetDateTime::ge),
            "=~" | "in~" => low == wanted,
            "!~" => low != wanted,
            "contains" => low.contains(&wanted),
            "!contains" => !low.contains(&wanted),
            "!startswith" => !low.starts_with(&wanted),
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
        let columns = |_: &[String]| Ok(vec!["id", "type", "tags", "properties"]);
        Query::parse(text, SystemTime::UNIX_EPOCH + Duration::from_secs(60), columns).map(|query| query.run(rows()))
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
            let columns = |_: &[String]| Ok(vec!["id", "tags"]);
            let (rows, _) = Query::parse(&format!("{times} | {text}"), now, columns)?.run(rows());
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
    fn tables_are_united() -> Result<(), String> {
        let query = |text: &str| Query::parse(text, SystemTime::UNIX_EPOCH, |_| Ok(vec![TIME, "who"]));
        let rows = || {
            vec![json!({TIME: "2026-11-30T10:00:00.5Z", "who": "A"}), json!({TIME: "2026-11-30T11:00:00Z", "who": "b"})]
        };
        let one =
            query("union isfuzzy=true One, Two | where TimeGenerated >= datetime(2026-11-30T10:30:00Z) | project who")?;
        assert_eq!((one.tables.len(), one.is_union, one.columns()), (2, true, Some(vec!["who"])));
        assert_eq!(one.run(rows()).0, [json!({"who": "b"})]);
        let top = query("One | where who in~ ('a', 'x') or who !startswith 'a' | top 1 by TimeGenerated desc")?;
        assert_eq!(top.run(rows()).0, [rows()[1].clone()]);
        let absent = query("One | project who, what = column_ifexists('what', '-')")?;
        assert_eq!(absent.run(rows()).0[0], json!({"who": "A", "what": "-"}));
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
            "resources | where type == 'a' or",
            "union resources type",
            "union isfuzzy=false resources",
            "resources | top 1 id",
            "resources | where type > datetime(2026",
            "resources | where id > datetime(2026-11-30T10:30:00Z)",
            "resources | project x = column_ifexists('type')",
            "resources | where toupper(type) == 'a'",
            "resources | project id,",
            "resources | take many",
            "resources ; x",
        ] {
            assert!(run(text).is_err(), "{text}");
        }
    }
}
