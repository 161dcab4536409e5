//! An HTML page in one file: no network, no scripts, light or dark as the reader's system is,
//! readable on a phone and on paper.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::chart::{Picture, PictureError, Thumbnail, dark_rules, digit_png};

const STYLE: &str = include_str!("page.css");

/// A page while it is being written, from top to bottom.
#[derive(Debug)]
pub struct Page {
    title: String,
    body: String,
}

/// A table; every cell is text, which the page escapes.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Columns whose name begins with `#` hold numbers, which align to the right. (The `#` does
    /// not show.)
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Page {
    /// A page that begins with its title.
    pub fn new(title: &str) -> Self {
        let mut page = Self {
            title: title.to_string(),
            body: String::new(),
        };
        page.push("<h1>", title, "</h1>\n");
        page
    }

    /// A heading over what follows.
    pub fn heading(&mut self, text: &str) {
        self.push("<h2>", text, "</h2>\n");
    }

    /// A paragraph of text.
    pub fn paragraph(&mut self, text: &str) {
        self.push("<p>", text, "</p>\n");
    }

    /// A paragraph that the reader must not miss.
    pub fn notice(&mut self, text: &str) {
        self.push("<p class=\"notice\">", text, "</p>\n");
    }

    /// Sentences, one a bullet.
    pub fn list(&mut self, sentences: &[String]) {
        self.body += "<ul>\n";
        for sentence in sentences {
            self.push("<li>", sentence, "</li>\n");
        }
        self.body += "</ul>\n";
    }

    /// Names with their values, as cards.
    pub fn figures(&mut self, figures: &[(&str, String)]) {
        self.body += "<dl class=\"cards\">\n";
        for (name, value) in figures {
            self.push("<div><dt>", name, "</dt>");
            self.push("<dd>", value, "</dd></div>\n");
        }
        self.body += "</dl>\n";
    }

    /// Charts with a caption each: side by side where the page is wide enough.
    pub fn charts<'a>(&mut self, charts: impl IntoIterator<Item = (&'a Picture, &'a str)>) {
        self.body += "<div class=\"charts\">\n";
        for (picture, caption) in charts {
            self.chart(picture, caption);
        }
        self.body += "</div>\n";
    }

    /// A chart with the table that belongs to it: side by side where the page is wide enough.
    pub fn chart_and_table(&mut self, (picture, caption): (&Picture, &str), table: &Table) {
        self.body += "<div class=\"charts\">\n";
        self.chart(picture, caption);
        self.table(table);
        self.body += "</div>\n";
    }

    fn chart(&mut self, picture: &Picture, caption: &str) {
        self.body += "<figure>\n";
        self.body += &inline_svg(picture);
        self.push("<figcaption>", caption, "</figcaption>\n</figure>\n");
    }

    /// Digits with their captions.
    pub fn gallery(&mut self, thumbnails: &[Thumbnail]) -> Result<(), PictureError> {
        self.body += "<div class=\"gallery\">\n";
        for thumbnail in thumbnails {
            let data = STANDARD.encode(digit_png(&thumbnail.pixels)?);
            let _ = write!(
                self.body,
                "<figure><img width=\"28\" height=\"28\" alt=\"\" \
                 src=\"data:image/png;base64,{data}\">"
            );
            self.push(
                "<figcaption>",
                &thumbnail.caption,
                "</figcaption></figure>\n",
            );
        }
        self.body += "</div>\n";
        Ok(())
    }

    /// A table that scrolls sideways inside the page when it is wider.
    pub fn table(&mut self, table: &Table) {
        let class = |column: usize| match table.columns.get(column) {
            Some(name) if name.starts_with('#') => " class=\"number\"",
            _ => "",
        };
        self.body += "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>";
        for (index, name) in table.columns.iter().enumerate() {
            let name = name.strip_prefix('#').unwrap_or(name);
            self.push(&format!("<th{}>", class(index)), name, "</th>");
        }
        self.body += "</tr></thead>\n<tbody>\n";
        for row in &table.rows {
            self.body += "<tr>";
            for (index, cell) in row.iter().enumerate() {
                self.push(&format!("<td{}>", class(index)), cell, "</td>");
            }
            self.body += "</tr>\n";
        }
        self.body += "</tbody></table></div>\n";
    }

    /// Links to files beside the page: what each says, and its path.
    pub fn links(&mut self, links: &[(String, String)]) {
        self.body += "<ul class=\"links\">\n";
        for (text, path) in links {
            self.push("<li><a href=\"", path, "\">");
            self.push("", text, "</a></li>\n");
        }
        self.body += "</ul>\n";
    }

    /// Text as it stands, such as a recipe or commands.
    pub fn code(&mut self, text: &str) {
        self.push("<pre tabindex=\"0\"><code>", text, "</code></pre>\n");
    }

    /// The whole file.
    pub fn html(&self) -> String {
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"generator\" content=\"mnistctl {version}\">\n\
             <title>{title}</title>\n<style>\n{STYLE}\
             @media screen and (prefers-color-scheme: dark) {{\n{dark}}}\n</style>\n</head>\n\
             <body>\n<main>\n{body}</main>\n</body>\n</html>\n",
            version = env!("CARGO_PKG_VERSION"),
            title = escape(&self.title),
            dark = dark_rules(),
            body = self.body,
        )
    }

    fn push(&mut self, before: &str, text: &str, after: &str) {
        self.body += before;
        self.body += &escape(text);
        self.body += after;
    }
}

/// `text` with what HTML would read as markup made harmless, for elements and attributes alike.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            other => escaped.push(other),
        }
    }
    escaped
}

/// The picture as an element that takes the width it is given.
fn inline_svg(picture: &Picture) -> String {
    let svg = &picture.svg;
    let view = svg.find("viewBox").map_or(svg.as_str(), |at| &svg[at..]);
    let name = escape(picture.title());
    format!("<svg role=\"img\" aria-label=\"{name}\" {view}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        let nasty = "</p><script>alert('1')</script> & \"quotes\"";
        let mut page = Page::new(nasty);
        page.heading(nasty);
        page.paragraph(nasty);
        page.notice(nasty);
        page.list(&[nasty.to_string()]);
        page.figures(&[(nasty, nasty.to_string())]);
        page.code(nasty);
        page.links(&[(nasty.to_string(), nasty.to_string())]);
        page.table(&Table {
            columns: vec![nasty.to_string()],
            rows: vec![vec![nasty.to_string()]],
        });
        let html = page.html();
        assert!(!html.contains("<script") && !html.contains("alert('"));
        assert_eq!(html.matches("&lt;/p&gt;&lt;script&gt;").count(), 13);
    }
}
