// SPDX-License-Identifier: GPL-2.0

//! Standard output, and files.

use crate::failure::Failure;
use ktcpvs_netlink::Plain;
use std::ffi::OsStr;
use std::fmt::Display;
use std::fs::{
    self,
    File,
    OpenOptions, //
};
use std::io::{
    self,
    ErrorKind,
    Read,
    Write, //
};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{
    Path,
    PathBuf, //
};

/// Prints to standard output.
///
/// # Errors
///
/// When it cannot be written.
pub(crate) fn print(text: &impl Display) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    write!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Failure::BrokenPipe,
            _ => Failure::Refused(format!("standard output: {}", Plain(&error))),
        })
}

/// The name of a file in messages.
pub(crate) fn shown(path: &Path) -> String {
    if path == OsStr::new("-") {
        "<stdin>".to_owned()
    } else {
        path.display().to_string()
    }
}

/// Reads a whole file, or standard input for `-`.
///
/// # Errors
///
/// With the file's name.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if path == OsStr::new("-") {
        io::stdin().lock().read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    match read {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Failure::Refused(format!(
            "{}: {}",
            shown(path),
            Plain(&error)
        ))),
    }
}

/// Writes a file whole or not at all. It may hold keys: only its owner may read it. What is there
/// and no regular file, such as a device or a pipe, is written to.
///
/// # Errors
///
/// With the file's name.
pub(crate) fn save(path: &Path, text: &impl Display) -> Result<(), Failure> {
    let saved = save_followed(path, text);
    saved.map_err(|error| Failure::Refused(format!("{}: {}", path.display(), Plain(&error))))
}

/// Follows symbolic links, so that what they lead to is replaced and not they.
fn save_followed(path: &Path, text: &impl Display) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => replace(&path.canonicalize()?, text),
        Ok(_) => write_to(path, text),
        Err(error) if error.kind() == ErrorKind::NotFound => match fs::read_link(path) {
            // It leads to nothing yet.
            Ok(link) => save_followed(&path.with_file_name(link), text),
            Err(_) => replace(path, text),
        },
        Err(error) => Err(error),
    }
}

fn write_to(path: &Path, text: &impl Display) -> io::Result<()> {
    let mut out = io::BufWriter::new(OpenOptions::new().write(true).open(path)?);
    write!(out, "{text}")?;
    out.flush()
}

/// Puts a new file in the place of what is there.
fn replace(path: &Path, text: &impl Display) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let temporary = PathBuf::from(name);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    let written = write!(file, "{text}")
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The error that is told is the one that came first.
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::{
        symlink,
        FileTypeExt,
        PermissionsExt, //
    };
    use std::process::{
        Command,
        Stdio, //
    };

    /// A new directory for one test.
    fn directory(test: &str) -> PathBuf {
        let name = format!("tcpvsadm.{}.{test}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir(&directory).unwrap();
        directory
    }

    #[test]
    fn a_file_is_saved_whole_and_for_its_owner() {
        let directory = directory("whole");
        let path = directory.join("a.conf");
        fs::write(&path, "a longer text than the new one").unwrap();
        save(&path, &"new").unwrap();
        assert_eq!(read(&path).unwrap(), b"new");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(save(&directory.join("none/a.conf"), &"new").is_err());
        // Nothing can take the place of a directory; what was begun is cleared away.
        fs::create_dir(directory.join("b")).unwrap();
        assert!(save(&directory.join("b"), &"new").is_err());
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 2);
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn links_are_followed() {
        let directory = directory("links");
        fs::create_dir(directory.join("real")).unwrap();
        let target = directory.join("real/a.conf");
        for (name, link) in [("a", "real/a.conf"), ("b", "a")] {
            symlink(link, directory.join(name)).unwrap();
        }
        // The first of them makes the file, the second one replaces it.
        for name in ["b", "a"] {
            save(&directory.join(name), &name).unwrap();
            assert_eq!(read(&target).unwrap(), name.as_bytes());
            let mode = fs::metadata(&target).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        symlink("round", directory.join("round")).unwrap();
        assert!(save(&directory.join("round"), &"x").is_err());
        for name in ["a", "b", "round"] {
            let found = fs::symlink_metadata(directory.join(name)).unwrap();
            assert!(found.is_symlink(), "{name}");
        }
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 4);
        assert_eq!(fs::read_dir(directory.join("real")).unwrap().count(), 1);
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn devices_and_pipes_are_written_to() {
        let directory = directory("devices");
        let link = directory.join("null");
        symlink("/dev/null", &link).unwrap();
        save(&link, &"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let null = fs::metadata("/dev/null").unwrap();
        assert!(null.file_type().is_char_device());
        let full = save(Path::new("/dev/full"), &"new").unwrap_err();
        assert!(full.to_string().starts_with("/dev/full: No space left"));
        let mut cat = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let pipe = cat.stdin.take().unwrap();
        save(Path::new(&format!("/dev/fd/{}", pipe.as_raw_fd())), &"new").unwrap();
        drop(pipe);
        assert_eq!(cat.wait_with_output().unwrap().stdout, b"new");
        fs::remove_dir_all(&directory).unwrap();
    }
}
