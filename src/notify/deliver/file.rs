//! Secrets that are in files: by their paths, or as credentials of the service.

use std::path::{Path, PathBuf};

use crate::notify::Secret;

/// More than any address, token or password has; certificates are longer.
const BYTES_MAX: u64 = 1 << 20;

/// The text of a secret, from the configuration or from the file that this names.
///
/// # Errors
/// Which file cannot be read, and why.
pub(super) async fn secret(
    key: &str,
    given: Option<&Secret>,
    file: Option<&Path>,
) -> Result<Option<String>, String> {
    let Some(file) = file else { return Ok(given.map(|secret| secret.expose().to_owned())) };
    let bytes = read(file).await.map_err(|error| format!("{key}_file: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| format!("{key}_file: it is not UTF-8 text"))?;
    let text = text.trim();
    if text.is_empty() {
        Err(format!("{key}_file: it is empty"))
    } else {
        Ok(Some(text.to_owned()))
    }
}

/// What is in a file.
///
/// # Errors
/// Its path, and why it cannot be read.
pub(super) async fn read(file: &Path) -> Result<Vec<u8>, String> {
    let path = place(file)?;
    // A file on a server that is gone may take for ever, which is no matter of the runtime's.
    let read = tokio::task::spawn_blocking(move || {
        use std::io::Read as _;
        let mut bytes = Vec::new();
        let read = std::fs::File::open(&path);
        let read = read.and_then(|file| file.take(BYTES_MAX).read_to_end(&mut bytes));
        read.map(|_| bytes).map_err(|error| format!("{}: {error}", path.display()))
    });
    read.await.unwrap_or_else(|_| Err("it was not read".to_owned()))
}

fn place(file: &Path) -> Result<PathBuf, String> {
    if file.is_absolute() {
        return Ok(file.to_owned());
    }
    let name = file.display();
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(|| {
        format!(
            "{name}: the daemon has no credentials; the service needs LoadCredential={name}:/path"
        )
    })?;
    Ok(Path::new(&folder).join(file))
}
