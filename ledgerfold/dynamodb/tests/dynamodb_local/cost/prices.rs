//! The table of costs with prices.

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};

use super::meter::Cost;

/// Prices of a million capacity units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prices {
    write: f64,
    read: f64,
}

/// USD per million on-demand request units in us-east-1, standard table class, since November 2024.
/// <https://aws.amazon.com/dynamodb/pricing/on-demand/>
const ON_DEMAND: Prices = Prices { write: 0.625, read: 0.125 };

impl Prices {
    /// `WRITE_PRICE` and `READ_PRICE`, or on-demand prices by default.
    pub(super) fn from_environment() -> Self {
        let price = |name: &str, default: f64| match std::env::var(name) {
            Ok(text) => text.parse().expect("a price is a number"),
            Err(_) => default,
        };
        Self {
            write: price("WRITE_PRICE", ON_DEMAND.write),
            read: price("READ_PRICE", ON_DEMAND.read),
        }
    }

    pub(super) fn table(self) -> PriceList {
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN).set_header([
            "operation",
            "requests",
            "write units",
            "read units",
            "per million",
        ]);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        PriceList { prices: self, table }
    }
}

/// Operations with their costs.
pub(super) struct PriceList {
    prices: Prices,
    table: Table,
}

impl PriceList {
    pub(super) fn add(&mut self, operation: &str, cost: Cost) {
        let price = cost.write_units * self.prices.write + cost.read_units * self.prices.read;
        self.table.add_row([
            operation.to_owned(),
            cost.requests.to_string(),
            cost.write_units.to_string(),
            cost.read_units.to_string(),
            format!("{price:.3}{}", if cost.inferred { "*" } else { "" }),
        ]);
    }

    #[expect(clippy::print_stdout, reason = "it is asked for at a terminal")]
    pub(super) fn print(&self, title: &str) {
        let Self { prices: Prices { write, read }, table } = self;
        println!("\n{title}\n\n{table}\n");
        println!("At {write} per million write units and {read} per million read units.");
        println!("* Partly computed: DynamoDB Local reports nothing for reads that find nothing");
        println!(
            "  and for writes that are refused, and rounds a transaction up once for each table."
        );
    }
}
