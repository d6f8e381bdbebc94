//! Hostile answers: refused, and nothing that they name is executed, read, sent or contacted. Each test is a table, which it prints.

mod answers;
mod kubeconfig;
mod wire;

/// What became of a row of a table: an error in the library's words, or what went wrong.
type Outcome = Result<String, String>;

/// Prints a table, and fails with the rows that did not hold.
fn show(title: &str, rows: Vec<(String, Outcome)>) {
    println!("{title}");
    let mut broken = Vec::new();
    for (name, outcome) in rows {
        let first = |text: &str| text.lines().next().unwrap_or_default().chars().take(150).collect::<String>();
        match outcome {
            Ok(words) => println!("  {name:44} {}", first(&words)),
            Err(why) => {
                println!("  {name:44} NOT HELD: {}", first(&why));
                broken.push(format!("{name}: {why}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
