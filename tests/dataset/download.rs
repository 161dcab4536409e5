//! Downloading from servers that behave and servers that don't, all of them on this machine.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::made::{NAMES, assert_says, gzip, images, labels, sha256};
use crate::server::{
    Answer, bad, chunked, contents, downloader, good, http, ok, packed_names, serve,
};
use clap::ValueEnum;
use mnistctl::dataset::{DataArg, Kind, Places, Published, Sha256, Source, verify_against};
use support::listing;

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
fn other_datasets_are_known_by_their_packed_files() {
    let folder = tempfile::tempdir().unwrap();
    let packed = contents().map(|bytes| gzip(&bytes));
    let downloader = |mirrors: &[&str]| {
        let mut downloader = downloader(mirrors);
        downloader.dataset = Published::Fashion;
        for (file, bytes) in downloader.files.iter_mut().zip(&packed) {
            file.sha256 = Sha256::Packed(sha256(bytes).leak());
        }
        downloader
    };
    downloader(&[&serve(good())]).fill(folder.path()).unwrap();
    let files = downloader(&[]).files;
    let checks = verify_against(folder.path(), &files).unwrap();
    assert!(checks.iter().all(|check| check.is_ok()));
    let again = downloader(&[]).fill(folder.path()).unwrap();
    assert!(again.iter().all(|file| file.already));

    // The same digits, packed otherwise, may be the same and can't be proven to be.
    let first = format!("{}.gz", NAMES[0]);
    let mut other = packed[0].clone();
    // The operating system in a gzip header, which unpacking doesn't look at.
    other[9] ^= 1;
    fs::write(folder.path().join(&first), &other).unwrap();
    let error = downloader(&[]).fill(folder.path()).unwrap_err().to_string();
    assert_says(&error, &[&first, "not Fashion-MNIST's", "the .gz file"]);
    let checks = verify_against(folder.path(), &files).unwrap();
    assert!(!checks[0].is_ok() && checks[1].is_ok());
    let url = bad(ok(&other));
    let elsewhere = tempfile::tempdir().unwrap();
    let error = downloader(&[&url]).fill(elsewhere.path()).unwrap_err();
    assert_says(
        &error.to_string(),
        &["other than Fashion-MNIST", "the .gz file"],
    );
    assert_eq!(listing(elsewhere.path()), [""; 0]);
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
    let redirect = |to: &str| {
        let headers = format!("Location: {to}\r\nContent-Length: 0\r\n");
        Answer::Bytes(http("302 Found", &headers, b""))
    };
    let with_length = |length: &str| {
        let headers = format!("Content-Length: {length}\r\n");
        Answer::Bytes(http("200 OK", &headers, &file))
    };
    // 20 million zeros follow the 12 images, in a file of the usual size.
    let mut bomb = images(12);
    bomb.resize(20_000_000, 0);
    let bomb = gzip(&bomb);
    assert!(bomb.len() < 20_000);
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
        (redirect(&format!("{page}login")), &["HTML page"]),
        (redirect(&format!("{}.gz", NAMES[0])), &["redirect"]),
        // No file of ours: it stays with the server.
        (redirect("file:///etc/hostname"), &["404"]),
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
        (with_length("9223372036854775808"), &["wants to send"]),
        (with_length("18446744073709551616"), &["cannot be fetched"]),
        (with_length("-1"), &["cannot be fetched"]),
        (with_length("many"), &["cannot be fetched"]),
        (ok(&bomb), &["trailing bytes"]),
        (
            Answer::Bytes(chunked(&file, "broken\r\n")),
            &["broke off after"],
        ),
        (Answer::Bytes(chunked(&file, "")), &["broke off after"]),
        // No length, and no end.
        (
            Answer::Bytes(http("200 OK", "", &vec![7; 30_000])),
            &["sends more than 20000 bytes"],
        ),
        (
            Answer::Endless(http("200 OK", "", b""), vec![7; 1000]),
            &["sends more than 20000 bytes"],
        ),
        (
            Answer::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"A: b\r\n".to_vec()),
            &["cannot be fetched"],
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
    // Nothing listens on the discard port, and no name ends in .invalid (RFC 2606).
    let refused = "http://127.0.0.1:9/mnist/";
    let nameless = "http://mnist.invalid/";
    let unencrypted = serve(good()).replace("http:", "https:");
    let missing = serve(HashMap::new());
    let mirrors = [refused, nameless, &unencrypted, &missing];
    let message = downloader(&mirrors)
        .fill(folder.path())
        .unwrap_err()
        .to_string();
    let lines: Vec<&str> = message.lines().collect();
    assert!(lines.len() == 5 && lines[0].contains(NAMES[0]), "{message}");
    let words = ["cannot be reached", "cannot be reached", "cannot be", "404"];
    for ((line, mirror), words) in lines[1..].iter().zip(mirrors).zip(words) {
        assert_says(line, &[mirror, words]);
    }
    // With one that serves after all of them, it succeeds.
    let served = serve(good());
    let mirrors = [&mirrors[..], &[&served]].concat();
    downloader(&mirrors).fill(folder.path()).unwrap();
    assert_eq!(listing(folder.path()), packed_names());
}

#[test]
fn a_server_that_only_trickles_is_given_up_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let head = http("200 OK", "", b"");
    let url = bad(Answer::Trickle(head, vec![7; 10_000]));
    let mut downloader = downloader(&[&url]);
    // Its bytes are 5 ms apart, which on a busy machine may be 50.
    downloader.stall = Duration::from_secs(3);
    downloader.longest = Duration::from_secs(1);
    let started = Instant::now();
    let message = downloader.fill(folder.path()).unwrap_err().to_string();
    assert_says(&message, &["took longer than 1 seconds"]);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(listing(folder.path()), [""; 0]);
}

#[test]
fn a_file_may_come_in_chunks_without_a_length_or_compressed_on_the_way() {
    let file = gzip(&images(12));
    let packed = gzip(&file);
    let length = packed.len();
    let encoded = format!("Content-Encoding: gzip\r\nContent-Length: {length}\r\n");
    for answer in [
        chunked(&file, "0\r\n\r\n"),
        http("200 OK", "", &file),
        http("200 OK", &encoded, &packed),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let url = bad(Answer::Bytes(answer));
        downloader(&[&url]).fill(folder.path()).unwrap();
        assert_eq!(listing(folder.path()), packed_names());
    }
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
    for dataset in Published::value_variants() {
        let files = dataset.files();
        let total: u32 = files.iter().map(|file| file.items).sum();
        assert_eq!(total, 140_000);
        for (file, name) in files.iter().zip(NAMES) {
            assert_eq!((file.name, file.sha256.text().len()), (name, 64));
            assert_eq!(file.kind == Kind::Images, name.contains("images"));
        }
        let mut mirrors = dataset.mirrors().iter();
        // The others' files are proven by their hashes, too, but their hosts have no https.
        let secure = *dataset == Published::Mnist;
        assert!(mirrors.all(|url| url.ends_with('/') && (url.starts_with("https://") || !secure)));
    }
    assert!(Path::new(NAMES[0]).extension().is_none());
}
