//! Data folders, which are no part of a project wherever they lie.

use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The file by which a data folder is known.
const MARK: &str = ".strowger-data";
/// What engines that wrote no mark made in theirs beside a file `lock`: one of these.
const UNMARKED: [&str; 3] = ["store-made", "strowger.db", "engine"];

/// Marks a data folder: whoever reads the project that it lies in leaves it out, told of `--data` or not.
pub(crate) fn mark_data(folder: &Path) -> io::Result<()> {
    let path = folder.join(MARK);
    // A folder that is marked may be one that cannot be written any more.
    if path.is_file() {
        return Ok(());
    }
    let mut options = std::fs::OpenOptions::new();
    let file = options.append(true).create(true).mode(0o600).open(path);
    file.map(drop)
}

/// Whether a folder is an engine's data folder.
pub(super) fn is_data(folder: &Path) -> bool {
    let has = |name: &str| folder.join(name).is_file();
    has(MARK) || has("lock") && UNMARKED.iter().any(|name| has(name))
}

#[cfg(test)]
mod tests {
    use std::fs::{create_dir_all, write};
    use std::path::Path;

    use super::mark_data;
    use crate::project::Project;

    fn sounds(folder: &Path) -> Vec<String> {
        let project = Project::read(folder).expect("a project");
        project.audio.into_iter().collect()
    }

    #[test]
    fn what_lies_in_a_data_folder_is_no_file_of_the_project() {
        let place = tempfile::tempdir().expect("a folder");
        let project = place.path();
        write(project.join("strowger.toml"), "[project]\nname = \"a\"\n").expect("a file");
        for folder in ["prompts", "data/prompts", "var/old/recordings"] {
            create_dir_all(project.join(folder)).expect("a folder");
            write(project.join(folder).join("a.wav"), b"RIFF").expect("a file");
        }
        let all = [
            "data/prompts/a.wav",
            "prompts/a.wav",
            "var/old/recordings/a.wav",
        ];
        assert_eq!(sounds(project), all);
        mark_data(&project.join("data")).expect("a mark");
        assert_eq!(sounds(project), &all[1..]);
        // A lock alone may be anybody's.
        write(project.join("var/old/lock"), b"").expect("a file");
        assert_eq!(sounds(project), &all[1..]);
        write(project.join("var/old/store-made"), b"").expect("a file");
        assert_eq!(sounds(project), &all[1..2]);
    }
}
