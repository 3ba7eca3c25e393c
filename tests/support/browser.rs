//! A page in headless Chromium, by the DevTools protocol.
//!
//! Over a pipe (`--remote-debugging-pipe`): JSON texts that end with NUL, in on file descriptor 3, out
//! on 4. There is no port that others could reach, and Chromium ends when the pipe does.

use std::{fs, path::Path, process::Stdio, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use local::chromium;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use super::PATIENCE;

/// A Chromium with one page, which ends with this value.
pub struct Page {
    chromium: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    session: Option<String>,
    last_id: u64,
    /// What the page complained of: exceptions, errors in the console, files that it did not get.
    pub complaints: Vec<String>,
}

impl Page {
    /// Opens `url` in a window of this many pixels. `profile` is a folder for Chromium alone.
    pub async fn open(url: &str, width: u32, height: u32, profile: &Path) -> Self {
        if profile.exists() {
            fs::remove_dir_all(profile).expect("an old profile goes");
        }
        fs::create_dir_all(profile).expect("a profile");
        let program = chromium::command().expect("Chromium");
        // The shell hands the pipes on as 3 and 4, and becomes Chromium.
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
        let log = fs::File::create(profile.join("chromium.log")).expect("a log");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut chromium = command.spawn().expect("Chromium starts");
        let commands = chromium.stdin.take().expect("a pipe");
        let answers = BufReader::new(chromium.stdout.take().expect("a pipe"));
        let mut page = Self { chromium, commands, answers, session: None, last_id: 0, complaints: Vec::new() };
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

    /// Polls until the expression is neither `undefined`, `null`, `false` nor an exception; its value.
    pub async fn eventually(&mut self, what: &str, expression: &str) -> Value {
        let poll = async {
            loop {
                let value = self.evaluate(expression).await.unwrap_or_default();
                if !matches!(value, Value::Null | Value::Bool(false)) {
                    return value;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        match timeout(PATIENCE, poll).await {
            Ok(value) => value,
            Err(_) => panic!("waited in vain for {what}: {:?}", self.complaints),
        }
    }

    /// The value of an expression, which may be a promise.
    ///
    /// # Errors
    /// The exception that it throws.
    pub async fn evaluate(&mut self, expression: &str) -> Result<Value, String> {
        let parameters = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true, "userGesture": true
        });
        let answer = self.call("Runtime.evaluate", parameters).await;
        match answer.get("exceptionDetails") {
            Some(exception) => Err(exception.to_string()),
            None => Ok(answer["result"]["value"].clone()),
        }
    }

    /// Types into what has the focus.
    pub async fn enter(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text})).await;
    }

    /// Clicks in the middle of what the selector names, as a person would.
    pub async fn click(&mut self, selector: &str) {
        let middle = format!(
            "(() => {{ const {{ x, y, width, height }} = document.querySelector({}).getBoundingClientRect(); \
             return [x + width / 2, y + height / 2] }})()",
            json!(selector)
        );
        let middle = self.eventually(selector, &middle).await;
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": middle[0], "y": middle[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", event).await;
        }
    }

    /// A picture of what is to be seen, as PNG.
    pub async fn screenshot(&mut self) -> Vec<u8> {
        let answer = self.call("Page.captureScreenshot", json!({"format": "png"})).await;
        BASE64_STANDARD.decode(answer["data"].as_str().expect("a picture")).expect("base 64")
    }

    /// Ends it and waits for that.
    pub async fn close(mut self) {
        self.session = None;
        self.call("Browser.close", json!({})).await;
        drop(self.commands);
        timeout(PATIENCE, self.chromium.wait()).await.expect("Chromium ends").expect("a status");
    }

    async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last_id += 1;
        let mut command = json!({"id": self.last_id, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let mut command = command.to_string().into_bytes();
        command.push(0);
        self.commands.write_all(&command).await.expect("Chromium listens");
        loop {
            let mut message = Vec::new();
            let read = timeout(PATIENCE, self.answers.read_until(0, &mut message)).await;
            assert!(read.expect("in time").expect("a message") > 0, "Chromium has ended");
            message.pop();
            let message: Value = serde_json::from_slice(&message).expect("JSON");
            if message["id"] == json!(self.last_id) {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            self.complaints.extend(complaint(&message));
        }
    }
}

fn complaint(event: &Value) -> Option<String> {
    let parameters = &event["params"];
    let is_one = match event["method"].as_str()? {
        "Runtime.exceptionThrown" => true,
        "Runtime.consoleAPICalled" => matches!(parameters["type"].as_str(), Some("error" | "warning")),
        "Log.entryAdded" => parameters["entry"]["level"] == "error",
        _ => false,
    };
    is_one.then(|| parameters.to_string())
}
