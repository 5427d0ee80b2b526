//! Characters that are not seen: what is read would not be what is there.

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Characters that Unicode counts as symbols or letters and that its own charts draw as nothing. No property tells them: their
/// names do (BRAILLE PATTERN BLANK, MUSICAL SYMBOL NULL NOTEHEAD, KHITAN SMALL SCRIPT FILLER).
const BLANK: [char; 3] = ['\u{2800}', '\u{1d159}', '\u{16fe4}'];

/// Whether a character leaves no mark, white space and control characters apart: Unicode's default ignorable code points, its
/// format characters (what turns the direction of text, what annotates), and what is drawn blank. IDNA drops many of them, so
/// the host that is connected to would not be the one that is read.
pub(crate) fn is_invisible(c: char) -> bool {
    !c.is_ascii()
        && (CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
            || CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Format
            || BLANK.contains(&c))
}

/// Whether a character is seen where it stands by itself.
pub(crate) fn is_visible(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !is_invisible(c)
}

/// Whether anything of a text is seen: a name of blanks names nothing.
pub fn shows(text: &str) -> bool {
    text.chars().any(is_visible)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_no_mark_is_told_by_its_properties() {
        let ignorable = "\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{180b}\u{180e}\u{200b}\u{200d}\u{2060}\u{206f}\u{3164}\u{fe0f}\u{feff}\u{ffa0}\u{1bca0}\u{1d173}\u{e0020}\u{e01ef}";
        let format = "\u{202e}\u{2066}\u{fff9}\u{fffb}\u{13430}";
        let blank = "\u{2800}\u{1d159}\u{16fe4}";
        for c in [ignorable, format, blank].concat().chars() {
            assert!(is_invisible(c) && !is_visible(c), "{c:?}");
        }
        for c in "aZ09~é語🙂\u{301}\u{2801}\u{1d158}\u{2422}\u{3042}".chars() {
            assert!(is_visible(c), "{c:?}");
        }
        for text in ["", " ", "\u{a0}\u{3000}", "\u{200b}", "\u{2800}", "\t\n", "\u{3164}"] {
            assert!(!shows(text), "{text:?}");
        }
        assert!(shows(" x "));
    }
}
