//! Tables in text.

use std::fmt;

/// Spaces between columns, as in kubectl.
const GAP: usize = 3;

/// Writes rows in columns, the header first. No line ends with spaces.
pub(super) fn write<const N: usize>(f: &mut fmt::Formatter<'_>, rows: &[[String; N]]) -> fmt::Result {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default() + GAP;
    let widths: [usize; N] = std::array::from_fn(width);
    for (index, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<String>();
        write!(f, "{}{}", if index == 0 { "" } else { "\n" }, line.trim_end())?;
    }
    Ok(())
}
