//! The portal's own files: style, script and logo. Each has a hash of what is in it in its name, so that browsers keep it for good.

use std::sync::LazyLock;

use postrider_domain::key::hash_of;

use crate::colour::Colour;
use crate::shown::Shown;
use crate::trouble::Trouble;
use crate::visit::Guest;

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/portal.js");
/// An operator's own stands in its place before the build.
const LOGO: &str = include_str!("../logo.svg");

/// What links are the hardest to read on, light and dark: of all that stands behind text, what comes nearest to it, as the style has it.
const LIGHT: Colour = Colour([0xec, 0xef, 0xf3]);
const DARK: Colour = Colour([0x26, 0x2d, 0x37]);

struct File {
    name: String,
    content_type: &'static str,
    text: &'static str,
}

static FILES: LazyLock<[File; 3]> = LazyLock::new(|| {
    let file = |stem: &str, ending, content_type, text| {
        let name = format!("{stem}-{}.{ending}", &hash_of(text)[..12]);
        File { name, content_type, text }
    };
    [
        file("style", "css", "text/css; charset=utf-8", STYLE),
        file("portal", "js", "text/javascript; charset=utf-8", SCRIPT),
        file("logo", "svg", "image/svg+xml", LOGO),
    ]
});

fn path(at: usize) -> String {
    format!("assets/{}", FILES[at].name)
}

pub(crate) fn style() -> String {
    path(0)
}

pub(crate) fn script() -> String {
    path(1)
}

pub(crate) fn logo() -> String {
    path(2)
}

/// The stylesheet with the accent colour and what is legible with it.
pub(crate) fn accent(colour: Colour) -> String {
    format!("assets/accent-{colour}.css")
}

fn accent_style(colour: Colour) -> String {
    let (on, light, dark) = (colour.text_on(), colour.legible_on(LIGHT), colour.legible_on(DARK));
    format!(
        ":root{{--accent:#{colour};--on-accent:#{on};--link:#{light}}}\
         @media(prefers-color-scheme:dark){{:root{{--link:#{dark}}}}}"
    )
}

/// The file of this name.
pub(crate) fn file(guest: &Guest<'_>) -> Result<Shown, Trouble> {
    let [name, _] = guest.variables;
    if let Some(file) = FILES.iter().find(|file| file.name == name) {
        return Ok(Shown::File { content_type: file.content_type, text: file.text.to_owned() });
    }
    let colour = name.strip_prefix("accent-").and_then(|rest| rest.strip_suffix(".css")).and_then(Colour::read);
    let colour = colour.filter(|colour| accent(*colour).ends_with(name)).ok_or(Trouble::NotFound)?;
    Ok(Shown::File { content_type: "text/css; charset=utf-8", text: accent_style(colour) })
}

#[cfg(test)]
mod tests {
    use regex_lite::Regex;

    use super::*;

    /// What the script may weigh, before anybody makes it smaller.
    const MOST_SCRIPT: usize = 10_000;

    #[test]
    fn the_script_is_small() {
        assert!(SCRIPT.len() < MOST_SCRIPT, "{} bytes", SCRIPT.len());
    }

    #[test]
    fn nothing_in_them_comes_from_elsewhere() {
        for file in FILES.iter() {
            let text = file.text.replace("http://www.w3.org/", "");
            for word in ["http:", "https:", "//cdn", "@import", "url(", "eval(", "innerHTML"] {
                assert!(!text.contains(word), "{}: {word}", file.name);
            }
        }
    }

    #[test]
    fn a_link_of_any_colour_is_read_on_all_that_the_style_puts_behind_it() {
        let behind = Regex::new("--(?:page|raised|[a-z]+-back): #([0-9a-f]{6})").unwrap();
        let behind: Vec<_> = behind.captures_iter(STYLE).map(|found| Colour::read(&found[1]).unwrap()).collect();
        let (light, dark) = behind.split_at(behind.len() / 2);
        assert!(light.contains(&LIGHT) && dark.contains(&DARK) && light.len() == 6, "{behind:?}");
        for colour in ["#000000", "#ffffff", "#ff0000", "#00ff00", "#0000ff", "#ffd400", "#1d5f8a", "#808080"] {
            let colour = Colour::read(colour).unwrap();
            for (hardest, all) in [(LIGHT, light), (DARK, dark)] {
                for one in all {
                    assert!(colour.legible_on(hardest).contrast(*one) >= 4.5, "{colour} on {one}");
                }
            }
        }
    }

    #[test]
    fn an_accents_style_is_a_few_colours() {
        let style = accent_style(Colour([0x1d, 0x5f, 0x8a]));
        assert!(style.starts_with(":root{--accent:#1d5f8a;--on-accent:#ffffff;--link:#1d5f8a}"), "{style}");
    }
}
