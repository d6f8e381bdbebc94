//! What is read in manifests, for tests that compare it with Kubernetes' own packages. Reads and writes one JSON value a line, as
//! `tests/peers/yaml` does:
//!
//!     manifests < QUESTIONS
//!
//! `{"as": "kubectl", "text": …}` asks the library, `{"as": "server", "text": …}` the emulator, which gets a `Thing`.

mod reading;

use serde_json::{Value, json};
use std::{error::Error, io};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = reading::Server::start().await?;
    for line in io::stdin().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        let text = asked["text"].as_str().ok_or("a question without a text")?;
        let read = match asked["as"].as_str() {
            Some("server") => server.thing(text).await.map(|thing| format!("[{thing}]")),
            _ => reading::library(text).map(|objects| Value::from(objects).to_string()),
        };
        match read {
            Ok(objects) => println!("{{\"objects\": {objects}}}"),
            Err(error) => println!("{}", json!({"error": error})),
        }
    }
    Ok(())
}
