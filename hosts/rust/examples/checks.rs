//! The six checks of docs/hosts/index.md, in Rust: with the iterator, and with tokio.
use std::io::BufRead;
use std::time::Duration;

use futures_util::{future::join_all, StreamExt};
use pyagent::{Client, Error, Event};
use serde_json::{json, Value};

fn library() -> String {
    std::env::var("PYAGENT_LIBRARY").unwrap()
}

fn server() -> Client {
    let address = std::env::var("PYAGENT_SERVER").unwrap();
    Client::open(library(), &json!({"provider": "compatible", "base_url": address})).unwrap()
}

fn ask(content: &str, script: Value) -> Value {
    let messages = json!([{"role": "user", "content": content}]);
    json!({"model": "m", "max_retries": 0, "messages": messages, "extra_body": {"fake": script}})
}

fn stalling() -> Value {
    json!({"text": "a b c d", "after": 2, "end": "stall"})
}

/// The deltas of a stream that must end well.
fn deltas(events: Vec<Result<Event, Error>>) -> Vec<String> {
    assert!(matches!(events.last(), Some(Ok(Event::Finish(said))) if said["finish_reason"] == "stop"));
    let text = |event| match event {
        Ok(Event::Text { text, index: 0 }) => Some(text),
        other => other.map(|_| None).unwrap(),
    };
    events.into_iter().filter_map(text).collect()
}

async fn collect(client: &Client, request: Value) -> Vec<Result<Event, Error>> {
    client.stream_async(request).unwrap().collect().await
}

async fn check_stream(client: &Client) {
    let text = "one two three ünï 🌍";
    let echo = Client::open(library(), &json!({"provider": "echo"})).unwrap();
    let nul = ask("nul", json!({"pieces": ["a\0b", "c"]}));
    for said in [echo.stream(ask(text, json!({}))).unwrap().collect(), collect(&echo, ask(text, json!({}))).await] {
        let said = deltas(said);
        assert!(said.len() > 1 && said.concat() == text, "{said:?}");
    }
    assert_eq!(deltas(client.stream(nul.clone()).unwrap().collect()), ["a\0b", "c"]);
    assert_eq!(deltas(collect(client, nul).await), ["a\0b", "c"]);
    let large = "x".repeat(100_000); // more than the buffer takes
    assert_eq!(deltas(collect(client, ask("large", json!({"pieces": [large]}))).await), [large]);
}

fn check_tools(client: &Client) {
    let script = json!({"tools": [{"name": "get_weather", "arguments": {"city": "Oslo"}}], "tool_piece": 3});
    let mut request = ask("tools", script);
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    request["tools"] = json!([{"type": "function", "function": {"name": "get_weather", "parameters": parameters}}]);
    let mut calls = client.stream(request.clone()).unwrap().filter_map(|event| match event.unwrap() {
        Event::ToolCall(call) => Some(call),
        _ => None,
    });
    let call = calls.next().unwrap();
    assert_eq!((&call["id"], &call["name"]), (&json!("call_1"), &json!("get_weather")));
    let arguments: Value = serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(arguments, json!({"city": "Oslo"}));
    assert!(calls.next().is_none());

    let function = json!({"name": call["name"], "arguments": call["arguments"]});
    let said =
        json!({"role": "assistant", "tool_calls": [{"id": call["id"], "type": "function", "function": function}]});
    let result = json!({"role": "tool", "tool_call_id": call["id"], "content": "7 degrees"});
    request["messages"].as_array_mut().unwrap().extend([said, result]);
    request["extra_body"]["fake"] = json!({"text": "It is 7 degrees."});
    assert_eq!(deltas(client.stream(request).unwrap().collect()).concat(), "It is 7 degrees.");
}

fn assert_fails(events: Vec<Result<Event, Error>>, kind: &str, status: u16, words: &str) {
    let error = events.last().unwrap().as_ref().unwrap_err();
    assert_eq!((error.kind.as_str(), error.status), (kind, status));
    assert!(error.message.contains(words), "{error}");
}

async fn check_error(client: &Client) {
    let refused = ask("error", json!({"status": 429, "body": {"error": {"message": "Slow down."}}}));
    assert_fails(client.stream(refused.clone()).unwrap().collect(), "rate_limit", 429, "Slow down.");
    assert_fails(collect(client, refused).await, "rate_limit", 429, "Slow down.");
    assert_fails(client.stream(json!({"model": "m"})).unwrap().collect(), "configuration", 0, "messages");
    assert!(Client::open("/no/such/library.so", &json!({})).is_err_and(|error| error.kind == "internal"));
}

fn assert_gone(name: &str) {
    println!("gone? {name}");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).unwrap();
    assert_eq!(answer, "yes\n", "the server saw the stream {name} end");
}

fn check_cancel(client: &Client) {
    let mut stream = client.stream(ask("cancel", stalling())).unwrap();
    while !matches!(stream.next(), Some(Ok(Event::Text { .. }))) {}
    let cancel = stream.canceller();
    let other = std::thread::spawn(cancel);
    assert_fails(stream.by_ref().collect(), "cancelled", 0, "");
    other.join().unwrap();
    assert!(stream.next().is_none());
    assert_gone("cancel");
}

async fn check_many(client: &Client) {
    let one = |number: usize| async move {
        let text = format!("many {number}");
        let said = deltas(collect(client, ask(&text, json!({"header_delay": 1}))).await);
        assert_eq!(said.concat(), text);
    };
    join_all((0..100).map(one)).await;
}

/// A task that is aborted drops its stream, as a loop that is left does.
async fn check_handles(client: Client) {
    let mut stream = client.stream_async(ask("left", stalling())).unwrap();
    while !matches!(stream.next().await, Some(Ok(Event::Text { .. }))) {}
    let task = tokio::spawn(async move { while stream.next().await.is_some() {} });
    tokio::time::sleep(Duration::from_millis(50)).await; // so that it waits
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_gone("left");
    drop(client);
    for event in server().stream(ask("also left", stalling())).unwrap() {
        if matches!(event.unwrap(), Event::Text { .. }) {
            break;
        }
    }
    assert_gone("also left");
    let none = json!({"clients": 0, "inboxes": 0, "calls": 0, "working": 0});
    for _ in 0..500 {
        if inspect()["handles"] == none {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("handles are left open: {}", inspect()["handles"]);
}

/// What the library says about itself. It is loaded, so this finds the same one.
fn inspect() -> Value {
    let (mut buffer, mut used) = (vec![0; 1 << 20], 0);
    unsafe {
        let library = libloading::Library::new(library()).unwrap();
        type Inspect = unsafe extern "C" fn(u64, *mut u8, usize, *mut usize) -> i32;
        let inspect = library.get::<Inspect>(b"pyagent_inspect").unwrap();
        assert_eq!(inspect(0, buffer.as_mut_ptr(), buffer.len(), &mut used), 0);
    }
    serde_json::from_slice(&buffer[..used]).unwrap()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let client = server();
    check_stream(&client).await;
    println!("ok stream");
    check_tools(&client);
    println!("ok tools");
    check_error(&client).await;
    println!("ok error");
    check_cancel(&client);
    println!("ok cancel");
    let times: usize = std::env::var("PYAGENT_TIMES").unwrap().parse().unwrap();
    for _ in 0..times {
        check_many(&client).await;
        println!("ok many");
    }
    check_handles(client).await;
    println!("ok handles");
}
