//! The program of docs/hosts/rust.md.
use std::io::Write;

use futures_util::StreamExt;
use pyagent::{Client, Error, Event};
use serde_json::{json, Value};

fn print_event(event: Event) {
    match event {
        Event::Text { text, .. } => print!("{text}"),
        Event::ToolCall(call) => print!("{}({})", word(&call, "name"), word(&call, "arguments")),
        Event::Finish(said) => println!(" [{}]", word(&said, "finish_reason")),
        _ => {}
    }
    std::io::stdout().flush().unwrap();
}

fn word<'a>(data: &'a Value, name: &str) -> &'a str {
    data[name].as_str().unwrap_or_default()
}

fn print_answer(client: &Client, request: &Value) -> Result<(), Error> {
    for event in client.stream(request.clone())? {
        print_event(event?);
    }
    Ok(())
}

async fn print_answer_async(client: &Client, request: &Value) -> Result<(), Error> {
    let mut stream = client.stream_async(request.clone())?;
    while let Some(event) = stream.next().await {
        print_event(event?);
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::open(std::env::var("PYAGENT_LIBRARY")?, &json!({"provider": "echo"}))?;
    let mut request = json!({"model": "echo", "messages": [{"role": "user", "content": "Hi, Rust"}]});

    print_answer(&client, &request)?;
    print_answer_async(&client, &request).await?;

    request["extra_body"] = json!({"fake": {"tools": [{"name": "clock", "arguments": {"city": "Oslo"}}]}});
    print_answer(&client, &request)?;

    request["extra_body"] = json!({"fake": {"status": 401, "body": {"error": {"message": "No such key."}}}});
    if let Err(error) = print_answer(&client, &request) {
        println!("{}, HTTP {}: {}", error.kind, error.status, error.message);
    }
    Ok(())
}
