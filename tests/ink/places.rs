//! Files, folders and what else a command line can name.

use std::fs;
use std::path::{Path, PathBuf};

use mnistctl::ink;
use mnistctl::ink::files::{Input, expand};

fn message(path: &Path) -> String {
    ink::read(path).unwrap_err().to_string()
}

#[test]
fn bad_paths_are_refused_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.png");
    assert!(
        message(&missing)
            .ends_with("missing.png does not exist: check the spelling and the folder you are in")
    );
    assert!(message(folder.path()).contains(" is a folder, not a picture: "));

    let big = folder.path().join("big.png");
    fs::File::create(&big).unwrap().set_len(1 << 40).unwrap();
    assert!(message(&big).contains("big.png is larger than 128 MiB: "));
}

#[test]
fn arguments_become_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let pictures = [
        "a.png", "b.JPG", "c.jpeg", "d.gif", "e.BMP", "f.webp", "g.pbm", "h.pgm", "i.ppm", "j.pnm",
        "k.tif", "l.tiff",
    ];
    for name in pictures.iter().rev() {
        fs::write(at(name), "").unwrap();
    }
    for name in ["notes.txt", ".hidden.png", "png"] {
        fs::write(at(name), "").unwrap();
    }
    fs::create_dir(at("m.png")).unwrap();

    let given = [
        at("notes.txt"),
        folder.path().to_path_buf(),
        PathBuf::from("-"),
        at("m.png"),
    ];
    let listing = expand(&given);
    let names: Vec<String> = listing.inputs.iter().map(Input::name).collect();
    let path = |name: &&str| at(name).display().to_string();
    let mut expected = vec![path(&"notes.txt")];
    expected.extend(pictures.iter().map(path));
    expected.extend(["standard input".into(), path(&"m.png")]);
    assert_eq!(names, expected);
    assert!(matches!(listing.inputs[13], Input::Stdin));
    // The text, the file without an extension, and the folder.
    assert_eq!(listing.skipped, [(folder.path().to_path_buf(), 3)]);
    let Some(Input::Failed { error, .. }) = listing.inputs.last() else {
        panic!("an empty folder leads to a picture");
    };
    let message = error.to_string();
    assert!(message.contains("m.png has no picture in it"), "{message}");
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    #[test]
    fn links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "").unwrap();
        fs::create_dir(at("folder")).unwrap();
        symlink("file", at("a.png")).unwrap();
        symlink("nowhere", at("b.png")).unwrap();
        symlink("folder", at("c.png")).unwrap();
        symlink("d.png", at("d.png")).unwrap();

        let listing = expand(&[folder.path().to_path_buf()]);
        let names: Vec<String> = listing.inputs.iter().map(Input::name).collect();
        // One that leads nowhere is a picture that someone misses.
        let expected = ["a.png", "b.png", "d.png"].map(|name| at(name).display().to_string());
        assert_eq!(names, expected);
        assert_eq!(listing.skipped[0].1, 3);
        let dangling = message(&at("b.png"));
        assert!(dangling.contains("b.png is a link to something that does not exist"));
        assert!(message(&at("d.png")).contains("d.png cannot be read: "));
    }

    /// To read any of these could take forever.
    #[test]
    fn what_is_not_a_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.png");
        let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let socket = folder.path().join("socket.png");
        let _listener = UnixListener::bind(&socket).unwrap();
        for (path, words) in [
            (pipe.as_path(), "is a pipe, not a file"),
            (&socket, "is a pipe, not a file"),
            (Path::new("/dev/zero"), "is a device, not a file"),
        ] {
            let message = message(path);
            assert!(message.contains(words), "{message}");
        }
        // In a folder they are not even pictures.
        let listing = expand(&[folder.path().to_path_buf()]);
        assert!(matches!(listing.inputs[..], [Input::Failed { .. }]));
    }

    #[test]
    fn a_file_that_cannot_be_read_says_why() {
        // Reading it at its beginning fails, for every user.
        let path = Path::new("/proc/self/mem");
        if path.exists() {
            let message = message(path);
            assert!(message.contains("mem cannot be read: "), "{message}");
        }
    }

    #[test]
    fn names_need_not_be_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(OsStr::from_bytes(b"se\xFFven.png"));
        if fs::write(&path, "seven").is_err() {
            // This file system allows only text.
            return;
        }
        let listing = expand(&[folder.path().to_path_buf()]);
        assert!(listing.inputs[0].name().ends_with("/se\u{FFFD}ven.png"));
        assert!(message(&path).contains("/se\u{FFFD}ven.png is not a picture"));
    }
}
