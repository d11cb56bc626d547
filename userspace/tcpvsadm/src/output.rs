// SPDX-License-Identifier: GPL-2.0

//! Standard output, and files.

use crate::failure::Failure;
use ktcpvs_netlink::Plain;
use std::ffi::OsStr;
use std::fmt::Display;
use std::fs::{
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

/// Writes a file whole or not at all. It may hold keys: only its owner may read it.
///
/// # Errors
///
/// With the file's name.
pub(crate) fn save(path: &Path, text: &impl Display) -> Result<(), Failure> {
    let failed = |error| Failure::Refused(format!("{}: {}", path.display(), Plain(&error)));
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let temporary = PathBuf::from(name);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .map_err(failed)?;
    let written = write!(file, "{text}")
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&temporary, path));
    written.map_err(|error| {
        // The error that is told is the one that came first.
        let _ = std::fs::remove_file(&temporary);
        failed(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_saved_whole_and_for_its_owner() {
        let directory = std::env::temp_dir().join(format!("tcpvsadm.{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
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
}
