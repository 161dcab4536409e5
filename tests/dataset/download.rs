//! Downloading from servers that behave and servers that don't, all of them on this machine.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::made::{NAMES, assert_says, gzip, images, labels, listing, sha256};
use mnistctl::dataset::{
    DataArg, Downloader, Expected, Kind, MNIST, Places, Source, verify_against,
};

/// What a server sends for a path: all bytes of the answer, and then perhaps silence.
#[derive(Clone)]
enum Answer {
    Bytes(Vec<u8>),
    ThenSilence(Vec<u8>),
}

fn http(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn ok(body: &[u8]) -> Answer {
    Answer::Bytes(http(
        "200 OK",
        &format!("Content-Length: {}\r\n", body.len()),
        body,
    ))
}

/// Serves `answers` by file name (404 otherwise) until the test process ends; returns the base
/// address.
fn serve(answers: HashMap<String, Answer>) -> String {
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
        None => stream
            .write_all(&http("404 Not Found", "Content-Length: 0\r\n", b""))
            .ok(),
    }
}

/// The four files as they should be, uncompressed: the tests' small "MNIST".
fn contents() -> [Vec<u8>; 4] {
    [images(12), labels(12), images(5), labels(5)]
}

fn good() -> HashMap<String, Answer> {
    let names = NAMES.iter().map(|name| format!("{name}.gz"));
    names
        .zip(contents().iter().map(|bytes| ok(&gzip(bytes))))
        .collect()
}

/// A server that is good but for the first file.
fn bad(answer: Answer) -> String {
    let mut answers = good();
    answers.insert(format!("{}.gz", NAMES[0]), answer);
    serve(answers)
}

fn downloader(mirrors: &[&str]) -> Downloader {
    let files = MNIST.into_iter().zip(contents()).zip([12, 12, 5, 5]);
    let files = files.map(|((file, bytes), items)| Expected {
        items,
        sha256: sha256(&bytes).leak(),
        ..file
    });
    Downloader {
        mirrors: mirrors.iter().map(|url| (*url).to_owned()).collect(),
        files: files.collect(),
        connect: Duration::from_secs(2),
        stall: Duration::from_millis(300),
        most_bytes: 20_000,
        progress: false,
    }
}

fn packed_names() -> Vec<String> {
    let mut names: Vec<String> = NAMES.iter().map(|name| format!("{name}.gz")).collect();
    names.sort();
    names
}

#[test]
fn four_good_files_are_fetched_once() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("new/folder");
    let url = serve(good());
    let fetched = downloader(&[&url]).fill(&folder).unwrap();
    assert!(
        fetched
            .iter()
            .all(|file| !file.already && file.file.is_file())
    );
    assert_eq!(listing(&folder), packed_names());
    assert!(
        verify_against(&folder, &downloader(&[]).files)
            .unwrap()
            .iter()
            .all(|check| check.is_ok())
    );

    // Again, with nobody to ask: all is there.
    let again = downloader(&[]).fill(&folder).unwrap();
    assert!(again.iter().all(|file| file.already));
    // And with one missing, only that one is fetched.
    fs::remove_file(folder.join(format!("{}.gz", NAMES[2]))).unwrap();
    let again = downloader(&[&url]).fill(&folder).unwrap();
    assert_eq!(
        again.iter().map(|file| file.already).collect::<Vec<_>>(),
        [true, true, false, true]
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&again[2].file).unwrap().permissions().mode();
        assert_eq!(mode & 0o400, 0o400);
    }
}

#[test]
fn auto_downloads_into_the_cache() {
    let root = tempfile::tempdir().unwrap();
    let cache = root.path().join("cache");
    let places = Places {
        variable: None,
        local: root.path().join("local"),
        cache: Some(cache.clone()),
        downloader: downloader(&[&serve(good())]),
    };
    assert_eq!(places.find(&DataArg::Auto).unwrap(), Source::Folder(cache));
}

#[test]
fn bad_answers_leave_nothing_and_say_what_came() {
    let file = gzip(&images(12));
    let length = |bytes: usize| format!("Content-Length: {bytes}\r\n");
    let mut wrong = images(12);
    wrong[100] ^= 1;
    let (found, expected) = (sha256(&wrong), sha256(&images(12)));
    let both = ["sha256", &found, &expected];
    let html = b"<html>Please log in to this network</html>";
    let page = serve(HashMap::from([("login".to_owned(), ok(html))]));
    let redirect = http(
        "302 Found",
        &format!("Location: {page}login\r\nContent-Length: 0\r\n"),
        b"",
    );
    let table: Vec<(Answer, &[&str])> = vec![
        (
            Answer::Bytes(http("200 OK", &length(file.len()), &file[..file.len() / 2])),
            &["broke off after"],
        ),
        (ok(&file[..file.len() / 2]), &["truncated gzip"]),
        (ok(&gzip(&wrong)), &both),
        (ok(&gzip(&images(13))), &["13 images"]),
        (ok(&gzip(&labels(12))), &["looks like the labels file"]),
        (ok(html), &["HTML page"]),
        (Answer::Bytes(redirect), &["HTML page"]),
        (ok(b""), &["empty"]),
        (
            Answer::Bytes(http("404 Not Found", &length(0), b"")),
            &["404"],
        ),
        (Answer::Bytes(http("503 Busy", &length(0), b"")), &["503"]),
        // A length that lies: more than allowed, less than is sent, more than is sent.
        (
            Answer::Bytes(http("200 OK", &length(usize::MAX / 2), &file)),
            &["wants to send", "20000"],
        ),
        (
            Answer::Bytes(http("200 OK", &length(50), &file)),
            &["truncated gzip"],
        ),
        (
            Answer::Bytes(http("200 OK", &length(file.len() + 1), &file)),
            &["broke off after"],
        ),
        // No length, and no end.
        (
            Answer::Bytes(http("200 OK", "", &vec![7; 30_000])),
            &["sends more than 20000 bytes"],
        ),
        // Silence: in the middle, and from the start.
        (
            Answer::ThenSilence(http("200 OK", &length(file.len()), &file[..40])),
            &["stalled", "40 bytes"],
        ),
        (
            Answer::ThenSilence(Vec::new()),
            &["did not answer within 0.3 seconds"],
        ),
        (
            Answer::Bytes(b"220 ready for mail\r\n".to_vec()),
            &["cannot be fetched"],
        ),
        (Answer::Bytes(Vec::new()), &["cannot be"]),
    ];
    for (answer, words) in table {
        let folder = tempfile::tempdir().unwrap();
        let url = bad(answer);
        let started = Instant::now();
        let message = downloader(&[&url])
            .fill(folder.path())
            .unwrap_err()
            .to_string();
        assert!(
            started.elapsed() < Duration::from_secs(3),
            "took {:?}: {message}",
            started.elapsed()
        );
        assert_says(&message, words);
        assert_says(&message, &[&format!("{url}{}.gz", NAMES[0])]);
        assert_eq!(listing(folder.path()), [""; 0], "{message}");

        // The next mirror serves, and nothing of the failure remains.
        let next = serve(good());
        downloader(&[&url, &next]).fill(folder.path()).unwrap();
        assert_eq!(listing(folder.path()), packed_names());
    }
}

#[test]
fn every_mirror_that_failed_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (serve(HashMap::new()), "http://127.0.0.1:9/mnist/");
    let message = downloader(&[&first, second])
        .fill(folder.path())
        .unwrap_err()
        .to_string();
    assert_says(
        &message,
        &[NAMES[0], &first, "404", second, "cannot be reached"],
    );
    assert_eq!(message.lines().count(), 3, "{message}");
}

#[test]
fn a_broken_copy_is_replaced_and_anything_else_is_left() {
    let url = serve(good());
    let packed = format!("{}.gz", NAMES[0]);
    let cut = gzip(&images(12))[..100].to_vec();
    for (name, bytes) in [
        (packed.as_str(), cut),
        (NAMES[0], images(12)[..100].to_vec()),
        (&packed, Vec::new()),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), bytes).unwrap();
        downloader(&[&url]).fill(folder.path()).unwrap();
        assert_eq!(listing(folder.path()), packed_names());
    }
    // Somebody's own digits, letters (labels over 9), pictures of another size, and a zip archive.
    let own: [(usize, Vec<u8>); 4] = [
        (0, images(13)),
        (1, gzip(&crate::made::labels_with(0x801, 2, &[1, 26]))),
        (0, crate::made::images_with(0x803, 1, 32, 32, 1024)),
        (0, b"PK\x03\x04, somebody's archive".to_vec()),
    ];
    for (which, bytes) in own {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(NAMES[which]);
        fs::write(&file, &bytes).unwrap();
        let message = downloader(&[&url])
            .fill(folder.path())
            .unwrap_err()
            .to_string();
        assert_says(
            &message,
            &[file.to_str().unwrap(), "left as it is", "elsewhere"],
        );
        assert_eq!(fs::read(&file).unwrap(), bytes);
    }
}

#[test]
fn what_a_proxy_unpacked_gets_a_plain_name() {
    let folder = tempfile::tempdir().unwrap();
    let url = bad(ok(&images(12)));
    let fetched = downloader(&[&url]).fill(folder.path()).unwrap();
    assert_eq!(fetched[0].file, folder.path().join(NAMES[0]));
    assert!(!folder.path().join(format!("{}.gz", NAMES[0])).exists());
}

#[test]
fn old_leftovers_are_swept_and_young_ones_kept() {
    let folder = tempfile::tempdir().unwrap();
    let [old, young] =
        [".mnistctl-old.part", ".mnistctl-young.part"].map(|name| folder.path().join(name));
    for path in [&old, &young] {
        let file = fs::File::create(path).unwrap();
        let age = Duration::from_secs(if path == &old { 7200 } else { 60 });
        file.set_modified(std::time::SystemTime::now() - age)
            .unwrap();
    }
    downloader(&[&serve(good())]).fill(folder.path()).unwrap();
    assert!(!old.exists() && young.exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_said() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let folder = file.join("mnist");
    let message = downloader(&["http://127.0.0.1:9/"])
        .fill(&folder)
        .unwrap_err()
        .to_string();
    assert_says(
        &message,
        &["cannot be written to", folder.to_str().unwrap()],
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_keeps_no_part_of_a_file() {
    // The next test, in a process for which a folder is a disk of 4 kB.
    let folder = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=4k tmpfs \"$1\" && \
                  SMALL_DISK=\"$1\" exec \"$0\" --exact download::on_a_small_disk --ignored";
    let unshare = std::process::Command::new("unshare")
        .args(["-rm", "sh", "-c", script])
        .args([
            std::env::current_exe().unwrap().as_os_str(),
            folder.path().as_os_str(),
        ])
        .output();
    match unshare {
        Ok(output) if !String::from_utf8_lossy(&output.stdout).contains("running 1 test") => {
            eprintln!("skipped: no small disk can be mounted here: {output:?}");
        }
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(error) => eprintln!("skipped: there is no `unshare` here: {error}"),
    }
}

#[test]
#[ignore = "the test above runs it, where $SMALL_DISK is full soon"]
fn on_a_small_disk() {
    let Some(disk) = std::env::var_os("SMALL_DISK") else {
        return;
    };
    let url = bad(ok(&[7; 19_000]));
    let error = downloader(&[&url]).fill(Path::new(&disk)).unwrap_err();
    assert_says(
        &error.to_string(),
        &["cannot be written to", "No space left on device"],
    );
    assert_eq!(listing(Path::new(&disk)), [""; 0]);
}

#[test]
fn the_constants_are_those_of_the_real_files() {
    let total: u32 = MNIST.iter().map(|file| file.items).sum();
    assert_eq!(total, 140_000);
    for (file, name) in MNIST.iter().zip(NAMES) {
        assert_eq!((file.name, file.sha256.len()), (name, 64));
        assert_eq!(file.kind == Kind::Images, name.contains("images"));
    }
    assert!(
        Downloader::default()
            .mirrors
            .iter()
            .all(|url| url.starts_with("https://") && url.ends_with('/'))
    );
    assert!(Path::new(NAMES[0]).extension().is_none());
}
