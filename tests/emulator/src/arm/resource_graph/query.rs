//! The language of queries: a table, and operators on its rows. See [the query
//! language](https://learn.microsoft.com/azure/governance/resource-graph/concepts/query-language). What is not known here is an error, never
//! a query for something else.

use serde_json::{Map, Value};

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
    right: Term,
}

#[derive(Debug)]
enum Term {
    /// A column, and the names within it.
    Column(Vec<String>),
    Text(String),
    /// `tostring` and `tolower`, of which the latter changes a text.
    Call {
        is_lower: bool,
        of: Box<Term>,
    },
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

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(String),
}

impl Query {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let mut parts = tokens.split(|token| *token == Token::Sign("|".into()));
        let table = match parts.next() {
            Some([Token::Word(table)]) => table.to_ascii_lowercase(),
            other => return Err(format!("a table is expected, not {other:?}")),
        };
        let steps = parts.map(|part| Parser { rest: part }.step()).collect::<Result<_, _>>()?;
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

struct Parser<'t> {
    rest: &'t [Token],
}

impl Parser<'_> {
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
            "project" => Step::Project(self.list(",", Self::column)?),
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
        if !OPERATORS.contains(&operator.as_str()) {
            return Err(format!("the operator '{operator}' is not known"));
        }
        Ok(Test { left, operator, right: self.term()? })
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
            let is_lower = match word.to_ascii_lowercase().as_str() {
                "tolower" => true,
                "tostring" => false,
                other => return Err(format!("the function '{other}' is not known")),
            };
            let of = Box::new(self.term()?);
            return if self.takes(")") { Ok(Term::Call { is_lower, of }) } else { Err("')' is expected".into()) };
        }
        if !COLUMNS.contains(&word.as_str()) {
            return Err(format!("Failed to resolve column or scalar expression named '{word}'"));
        }
        let mut path = vec![word];
        while self.takes(".") {
            path.push(self.word()?);
        }
        Ok(Term::Column(path))
    }
}

impl Term {
    fn of(&self, row: &Value) -> Value {
        match self {
            Self::Column(path) => path.iter().fold(row, |value, name| &value[name.as_str()]).clone(),
            Self::Text(text) => Value::String(text.clone()),
            Self::Call { .. } => Value::String(self.text(row)),
        }
    }

    fn text(&self, row: &Value) -> String {
        match self {
            Self::Call { is_lower: true, of } => of.text(row).to_lowercase(),
            Self::Call { of, .. } => of.text(row),
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
            Self::Text(_) => "Column1".to_owned(),
            Self::Call { of, .. } => of.name(),
        }
    }
}

impl Test {
    fn passes(&self, row: &Value) -> bool {
        let (left, right) = (self.left.text(row), self.right.text(row));
        let (low, wanted) = (left.to_lowercase(), right.to_lowercase());
        match self.operator.as_str() {
            "==" => left == right,
            "!=" => left != right,
            "=~" => low == wanted,
            "!~" => low != wanted,
            "contains" => low.contains(&wanted),
            "!contains" => !low.contains(&wanted),
            "startswith" => low.starts_with(&wanted),
            _ => low.ends_with(&wanted),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let (mut all, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => {
                let (inner, length) = quoted(rest, first)?;
                all.push(Token::Text(inner));
                length
            }
            '|' | '.' | ',' | '(' | ')' => {
                all.push(Token::Sign(first.into()));
                1
            }
            '=' | '!' => {
                let length = sign(rest);
                all.push(if rest[length - 1..].starts_with(char::is_alphabetic) {
                    Token::Word(rest[..length].into())
                } else {
                    Token::Sign(rest[..length].into())
                });
                length
            }
            _ if first.is_alphanumeric() || first == '_' => {
                let length = rest.find(|one: char| !one.is_alphanumeric() && one != '_').unwrap_or(rest.len());
                all.push(Token::Word(rest[..length].into()));
                length
            }
            _ => return Err(format!("'{first}' is not expected here")),
        };
        rest = rest[length..].trim_start();
    }
    Ok(all)
}

/// How long an operator is that begins with `=` or `!`.
fn sign(rest: &str) -> usize {
    match rest.as_bytes() {
        [_, b'=' | b'~', ..] => 2,
        [b'!', ..] => 1 + rest[1..].find(|one: char| !one.is_alphabetic()).unwrap_or(rest.len() - 1),
        _ => 1,
    }
}

/// The text in quotes at the beginning, and how much it takes.
fn quoted(rest: &str, quote: char) -> Result<(String, usize), String> {
    let (mut inner, mut is_escaped) = (String::new(), false);
    for (at, one) in rest.char_indices().skip(1) {
        match one {
            _ if is_escaped => {
                inner.push(one);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            _ if one == quote => return Ok((inner, at + 1)),
            _ => inner.push(one),
        }
    }
    Err("a text does not end".into())
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
        Query::parse(text).map(|query| query.run(rows()))
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
