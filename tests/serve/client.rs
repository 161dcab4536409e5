//! A server of its own for each test, and as much of HTTP as it takes to ask it anything.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use serde_json::Value;
use support::World;

/// A running `mnistctl serve`, which ends with this.
pub struct Server {
    pub child: Child,
    pub address: String,
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Starts one on a free port; `args` are further arguments.
    pub fn start(world: &World, args: &str) -> Self {
        let mut command = world.command(&format!("serve --port 0 {args}"));
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://");
        let address = address.unwrap_or_else(|| panic!("no address in {line:?}"));
        Self {
            child,
            address: address.to_string(),
            _stdout: stdout,
        }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        let long = Some(Duration::from_secs(60));
        stream.set_read_timeout(long).unwrap();
        stream.set_write_timeout(long).unwrap();
        stream
    }

    /// Sends a request and reads its answer. `headers` end in line breaks; with a `Host` among them
    /// there is no other.
    pub fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Reply {
        let host = match headers.contains("Host:") {
            true => String::new(),
            false => format!("Host: {}\r\n", self.address),
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\n{host}{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let mut stream = self.connect();
        stream.write_all(head.as_bytes()).unwrap();
        // A server that has refused the head need not take the body.
        let _ = stream.write_all(body);
        Reply::read(stream)
    }

    pub fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, "", b"")
    }

    pub fn post(&self, path: &str, body: &[u8]) -> Reply {
        self.ask("POST", path, "", body)
    }

    /// Posts files as a form.
    pub fn post_form(&self, path: &str, files: &[(&str, &[u8])]) -> Reply {
        let mut body = Vec::new();
        for (name, bytes) in files {
            let head = format!(
                "--edge\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"{name}\"\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--edge--\r\n");
        let kind = "Content-Type: multipart/form-data; boundary=edge\r\n";
        self.ask("POST", path, kind, &body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: String,
    pub body: Vec<u8>,
}

impl Reply {
    /// Reads until the server closes.
    pub fn read(mut stream: impl Read) -> Self {
        let mut bytes = Vec::new();
        // What was answered before a connection was reset counts.
        let _ = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("{:?}", String::from_utf8_lossy(&bytes)));
        let headers = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
        Self {
            status,
            headers,
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Its JSON, if it is a success.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()
    }

    /// That it is this error, with a sentence that has these words.
    pub fn is_error(&self, status: u16, words: &str) {
        assert_eq!(self.status, status, "{self:?}");
        let error = self.json()["error"]
            .as_str()
            .unwrap_or_default()
            .to_string();
        assert!(error.contains(words), "`{words}` is missing in: {error}");
    }

    pub fn has_header(&self, name: &str, value: &str) -> bool {
        let mut lines = self
            .headers
            .lines()
            .filter_map(|line| line.split_once(": "));
        lines.any(|(key, found)| key.eq_ignore_ascii_case(name) && found.contains(value))
    }
}

/// A digit as PNG.
pub fn png(pixels: &[u8]) -> Vec<u8> {
    let picture = image::GrayImage::from_raw(28, 28, pixels.to_vec()).unwrap();
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}
