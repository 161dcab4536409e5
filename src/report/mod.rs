//! Pictures and pages of what happened: charts, digits, and the HTML page that holds them.

pub mod chart;
pub mod page;
