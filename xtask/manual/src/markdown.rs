//! The Markdown of docs/ as a manual page: headings, paragraphs, lists, code and tables.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use roff::{Inline, Roff, bold, roman};

/// Cells of a column that are all shorter than this are not broken into lines.
const NARROW: usize = 26;
/// Stands for roff's `\:`, whose backslash would be escaped; it is in no text, being private use.
const BREAK: char = '\u{E000}';

/// Adds `text` to the page; headings of level `top` are sections, those below are subsections.
pub fn to_roff(roff: &mut Roff, text: &str, top: usize) {
    let mut page = Page {
        roff,
        top,
        words: Vec::new(),
        font: Inline::Roman,
        is_fresh: false,
        bullets: 0,
        table: Vec::new(),
    };
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        page.take(event);
    }
}

/// A text whose only markup is code in back quotes.
pub fn inline_code(text: &str) -> Vec<Inline> {
    let parts = text.split('`').enumerate();
    parts.map(|(index, part)| if index % 2 == 1 { bold(part) } else { roman(part) }).collect()
}

type Font = fn(String) -> Inline;

struct Page<'a> {
    roff: &'a mut Roff,
    top: usize,
    /// What has come since the last block ended.
    words: Vec<Inline>,
    font: Font,
    /// Whether a heading has just come, which makes a paragraph of what follows.
    is_fresh: bool,
    /// Lists around this place.
    bullets: usize,
    /// The rows of the table around this place, head included.
    table: Vec<Vec<Vec<Inline>>>,
}

impl Page<'_> {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Text(text) => self.words.push((self.font)(text.into_string())),
            Event::Code(code) => self.words.push(bold(code.as_ref())),
            Event::SoftBreak | Event::HardBreak => self.words.push(roman(" ")),
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Emphasis => self.font = Inline::Italic,
            Tag::Strong => self.font = Inline::Bold,
            Tag::Paragraph if self.bullets == 0 => self.paragraph(),
            Tag::List(_) => self.bullets += 1,
            Tag::Item => {
                self.roff.control("IP", ["\\(bu", "2"]);
            }
            Tag::TableRow | Tag::TableHead => self.table.push(Vec::new()),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Emphasis | TagEnd::Strong => self.font = Inline::Roman,
            TagEnd::Heading(level) => self.heading(level),
            TagEnd::Paragraph | TagEnd::Item if !self.words.is_empty() => {
                let words = std::mem::take(&mut self.words);
                self.roff.text(words);
            }
            TagEnd::List(_) => self.bullets -= 1,
            TagEnd::CodeBlock => self.code(),
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.words);
                if let Some(row) = self.table.last_mut() {
                    row.push(cell);
                }
            }
            TagEnd::Table => self.end_table(),
            _ => {}
        }
    }

    fn paragraph(&mut self) {
        if !std::mem::take(&mut self.is_fresh) {
            self.roff.control("PP", []);
        }
    }

    fn heading(&mut self, level: HeadingLevel) {
        let text: String = std::mem::take(&mut self.words).iter().map(plain).collect();
        match level as usize <= self.top {
            true => self.roff.control("SH", [text.to_uppercase().as_str()]),
            false => self.roff.control("SS", [text.as_str()]),
        };
        self.is_fresh = true;
    }

    fn code(&mut self) {
        let text: String = std::mem::take(&mut self.words).iter().map(plain).collect();
        self.paragraph();
        self.roff.control("RS", ["4"]).control("EX", []);
        for line in text.trim_end().lines() {
            self.roff.text([roman(line)]);
        }
        self.roff.control("EE", []).control("RE", []);
    }

    fn end_table(&mut self) {
        let rows = std::mem::take(&mut self.table);
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let wraps: Vec<bool> = (0..columns).map(|column| wraps(&rows, column)).collect();
        let format = |style: &str| {
            let wide = |wraps: &bool| format!("{style}{}", if *wraps { "x" } else { "" });
            wraps.iter().map(wide).collect::<Vec<_>>().join(" ")
        };
        self.paragraph();
        self.roff.control("TS", []);
        // The escape of roff does not touch these: they hold letters alone.
        self.roff.text([roman(format("lb"))]).text([roman(format!("{}.", format("l")))]);
        for row in rows {
            self.row(row, &wraps);
        }
        self.roff.control("TE", []);
    }

    fn row(&mut self, row: Vec<Vec<Inline>>, wraps: &[bool]) {
        let mut line = Vec::new();
        for (column, (cell, wraps)) in row.into_iter().zip(wraps).enumerate() {
            if column > 0 {
                line.push(roman("\t"));
            }
            if *wraps {
                line.push(roman("T{"));
                let cell: Vec<Inline> = cell.into_iter().map(breakable).collect();
                self.roff.text(std::mem::take(&mut line)).text(cell);
                line.push(roman("T}"));
            } else {
                line.extend(cell);
            }
        }
        self.roff.text(line);
    }
}

/// Whether a column's cells are broken into lines: not if all are short.
fn wraps(rows: &[Vec<Vec<Inline>>], column: usize) -> bool {
    let cells = rows.iter().filter_map(|row| row.get(column));
    let length = |cell: &Vec<Inline>| cell.iter().map(|part| plain(part).chars().count()).sum();
    cells.map(length).max().unwrap_or(0) >= NARROW
}

/// The page's text, which may break a line where [`breakable`] says so.
pub fn render(roff: &Roff) -> String {
    roff.render().replace(BREAK, "\\:")
}

/// Code in a cell: JSON has no spaces to break at.
fn breakable(part: Inline) -> Inline {
    match part {
        Inline::Bold(code) => {
            let broken = code.replace(',', &format!(",{BREAK}"));
            bold(broken.replace(":\"", &format!(":{BREAK}\"")))
        }
        other => other,
    }
}

fn plain(part: &Inline) -> &str {
    match part {
        Inline::Roman(text) | Inline::Bold(text) | Inline::Italic(text) => text,
        Inline::LineBreak => "\n",
    }
}
