//! A page in headless Chromium, controlled by the DevTools protocol over a pipe (`--remote-debugging-pipe`).
//!
//! Messages are JSON texts that end with NUL: commands on file descriptor 3, responses and events on 4. A pipe needs no
//! port, and Chromium ends when it is closed.

use std::{fs, path::Path, process::Stdio, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use stack::chromium;
use test_support::wait::TIMEOUT;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// A Chromium with one page. It ends with this value.
pub struct Page {
    chromium: Child,
    commands: ChildStdin,
    responses: BufReader<ChildStdout>,
    session: Option<String>,
    last_id: u64,
    /// Exceptions, errors and warnings in the console, and failed requests.
    pub errors: Vec<String>,
}

impl Page {
    /// Opens `url` in a window of `width` × `height` pixels. `profile` is a folder that only Chromium uses; it is emptied.
    pub async fn open(url: &str, width: u32, height: u32, profile: &Path) -> Self {
        if profile.exists() {
            fs::remove_dir_all(profile).expect("old profile removed");
        }
        fs::create_dir_all(profile).expect("profile");
        let program = chromium::command().expect("Chromium");
        // The shell passes the pipes as descriptors 3 and 4, and then executes Chromium.
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null", "sh"]).arg(program.get_program());
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--mute-audio",
            "--hide-scrollbars",
            "--remote-debugging-pipe",
        ]);
        command.arg(format!("--window-size={width},{height}"));
        command.arg(format!("--user-data-dir={}", profile.join("data").display())).arg("about:blank");
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let log = fs::File::create(profile.join("chromium.log")).expect("log");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut chromium = command.spawn().expect("Chromium starts");
        let commands = chromium.stdin.take().expect("pipe");
        let responses = BufReader::new(chromium.stdout.take().expect("pipe"));
        let mut page = Self { chromium, commands, responses, session: None, last_id: 0, errors: Vec::new() };
        let target = page.call("Target.createTarget", json!({"url": "about:blank"})).await;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = page.call("Target.attachToTarget", attach).await;
        page.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({})).await;
        }
        page.call("Page.navigate", json!({"url": url})).await;
        page
    }

    /// Polls until the value of an expression is not `undefined`, `null`, `false` or an exception; returns it.
    pub async fn wait_for(&mut self, what: &str, expression: &str) -> Value {
        let poll = async {
            loop {
                let value = self.evaluate(expression).await.unwrap_or_default();
                if !matches!(value, Value::Null | Value::Bool(false)) {
                    return value;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        match timeout(TIMEOUT, poll).await {
            Ok(value) => value,
            Err(_) => panic!("timed out waiting for {what}: {:?}", self.errors),
        }
    }

    /// The value of an expression, which may be a promise. An exception is an error.
    pub async fn evaluate(&mut self, expression: &str) -> Result<Value, String> {
        let parameters = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true, "userGesture": true
        });
        let response = self.call("Runtime.evaluate", parameters).await;
        match response.get("exceptionDetails") {
            Some(exception) => Err(exception.to_string()),
            None => Ok(response["result"]["value"].clone()),
        }
    }

    /// Types into the focused element.
    pub async fn enter(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text})).await;
    }

    /// Clicks in the middle of the element that the selector finds, once it exists.
    pub async fn click(&mut self, selector: &str) {
        let middle = format!(
            "(() => {{ const {{ x, y, width, height }} = document.querySelector({}).getBoundingClientRect(); \
             return [x + width / 2, y + height / 2] }})()",
            json!(selector)
        );
        let middle = self.wait_for(selector, &middle).await;
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": middle[0], "y": middle[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", event).await;
        }
    }

    /// The visible part of the page, as PNG.
    pub async fn screenshot(&mut self) -> Vec<u8> {
        let response = self.call("Page.captureScreenshot", json!({"format": "png"})).await;
        BASE64_STANDARD.decode(response["data"].as_str().expect("picture")).expect("base64")
    }

    /// Ends Chromium and waits for its exit.
    pub async fn close(mut self) {
        self.session = None;
        self.call("Browser.close", json!({})).await;
        drop(self.commands);
        timeout(TIMEOUT, self.chromium.wait()).await.expect("Chromium ends").expect("status");
    }

    async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last_id += 1;
        let mut command = json!({"id": self.last_id, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let mut command = command.to_string().into_bytes();
        command.push(0);
        self.commands.write_all(&command).await.expect("command sent");
        loop {
            let mut message = Vec::new();
            let read = timeout(TIMEOUT, self.responses.read_until(0, &mut message)).await;
            assert!(read.expect("in time").expect("message") > 0, "Chromium has ended");
            message.pop();
            let message: Value = serde_json::from_slice(&message).expect("JSON");
            if message["id"] == json!(self.last_id) {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            self.errors.extend(error_of(&message));
        }
    }
}

/// The parameters of an event, if it reports an error.
fn error_of(event: &Value) -> Option<String> {
    let parameters = &event["params"];
    let is_error = match event["method"].as_str()? {
        "Runtime.exceptionThrown" => true,
        "Runtime.consoleAPICalled" => matches!(parameters["type"].as_str(), Some("error" | "warning")),
        "Log.entryAdded" => parameters["entry"]["level"] == "error",
        _ => false,
    };
    is_error.then(|| parameters.to_string())
}
