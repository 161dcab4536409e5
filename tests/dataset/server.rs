//! Servers that behave and servers that don't, all of them on this machine.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::made::{NAMES, gzip, images, labels, sha256};
use mnistctl::dataset::{Downloader, Expected, Published, Sha256};

/// What a server sends for a path: the bytes of the answer, head and all.
#[derive(Clone)]
pub enum Answer {
    Bytes(Vec<u8>),
    ThenSilence(Vec<u8>),
    /// And then the second part again and again, until nobody listens.
    Endless(Vec<u8>, Vec<u8>),
    /// And then the second part byte by byte.
    Trickle(Vec<u8>, Vec<u8>),
}

pub fn http(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

/// An answer in chunks of 50 bytes, which `end` follows: `0\r\n\r\n` in a sound one.
pub fn chunked(body: &[u8], end: &str) -> Vec<u8> {
    let mut bytes = http("200 OK", "Transfer-Encoding: chunked\r\n", b"");
    for chunk in body.chunks(50) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        bytes.extend([chunk, b"\r\n"].concat());
    }
    [&bytes, end.as_bytes()].concat()
}

pub fn ok(body: &[u8]) -> Answer {
    Answer::Bytes(http(
        "200 OK",
        &format!("Content-Length: {}\r\n", body.len()),
        body,
    ))
}

/// Serves `answers` by file name (404 otherwise) until the test process ends; returns the base
/// address.
pub fn serve(answers: HashMap<String, Answer>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answers = answers.clone();
            thread::spawn(move || answer(stream, &answers));
        }
    });
    format!("http://{address}/mnist/")
}

fn answer(mut stream: TcpStream, answers: &HashMap<String, Answer>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?)
        .lines()
        .map_while(Result::ok);
    let request = lines.next()?;
    lines
        .by_ref()
        .take_while(|line| !line.is_empty())
        .for_each(drop);
    let name = request.split(' ').nth(1)?.rsplit('/').next()?.to_owned();
    match answers.get(&name) {
        Some(Answer::Bytes(bytes)) => stream.write_all(bytes).ok(),
        Some(Answer::ThenSilence(bytes)) => {
            stream.write_all(bytes).ok()?;
            thread::sleep(Duration::from_secs(5));
            Some(())
        }
        Some(Answer::Endless(bytes, again)) => {
            stream.write_all(bytes).ok()?;
            while stream.write_all(again).is_ok() {}
            Some(())
        }
        Some(Answer::Trickle(bytes, slowly)) => {
            stream.write_all(bytes).ok()?;
            for byte in slowly {
                stream.write_all(&[*byte]).ok()?;
                thread::sleep(Duration::from_millis(5));
            }
            Some(())
        }
        None => stream
            .write_all(&http("404 Not Found", "Content-Length: 0\r\n", b""))
            .ok(),
    }
}

/// The four files as they should be, uncompressed: the tests' small "MNIST".
pub fn contents() -> [Vec<u8>; 4] {
    [images(12), labels(12), images(5), labels(5)]
}

pub fn good() -> HashMap<String, Answer> {
    let names = NAMES.iter().map(|name| format!("{name}.gz"));
    names
        .zip(contents().iter().map(|bytes| ok(&gzip(bytes))))
        .collect()
}

/// A server that is good but for the first file.
pub fn bad(answer: Answer) -> String {
    let mut answers = good();
    answers.insert(format!("{}.gz", NAMES[0]), answer);
    serve(answers)
}

pub fn downloader(mirrors: &[&str]) -> Downloader {
    let files = Published::Mnist
        .files()
        .into_iter()
        .zip(contents())
        .zip([12, 12, 5, 5]);
    let files = files.map(|((file, bytes), items)| Expected {
        items,
        sha256: Sha256::Content(sha256(&bytes).leak()),
        ..file
    });
    Downloader {
        dataset: Published::Mnist,
        mirrors: mirrors.iter().map(|url| (*url).to_owned()).collect(),
        files: files.collect(),
        connect: Duration::from_secs(2),
        stall: Duration::from_millis(300),
        longest: Duration::from_secs(60),
        most_bytes: 20_000,
        progress: false,
    }
}

pub fn packed_names() -> Vec<String> {
    let mut names: Vec<String> = NAMES.iter().map(|name| format!("{name}.gz")).collect();
    names.sort();
    names
}
