//! `shop`: what can be had for coins.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    client::Client,
    output::{Output, text},
};

#[derive(Debug, Subcommand)]
pub(super) enum ShopCommand {
    /// List what can be had for coins, and why something cannot be bought now.
    List,
    /// Buy the next level of an item.
    Buy {
        /// The item, as `shop list` shows it.
        item: String,
        /// The same key buys once, however often the command is repeated; one is made without it.
        #[arg(long)]
        key: Option<String>,
    },
    /// List what was bought.
    Purchases,
}

impl ShopCommand {
    pub(super) async fn run(self, client: &Client, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::List => {
                let answer: Value = client.get("shop/items").await?;
                Ok(output.list(&answer, "items", "The shop is empty.", |item| {
                    [
                        text(&item["slug"]),
                        text(&item["name"]),
                        format!("level {}", text(&item["owned_level"])),
                        text(&item["next_price"]),
                        text(&item["reason"]["text"]),
                    ]
                }))
            }
            Self::Buy { item, key } => {
                let random = || Uuid::from_u128(rand::random()).to_string();
                let key = key.unwrap_or_else(random);
                let body = json!({ "item": item });
                let answer = client.post_once("shop/purchase", &key, &body).await?;
                Ok(output.show(&answer, |bought| {
                    format!(
                        "Bought {}, level {}, for {} coins.",
                        text(&bought["item"]),
                        text(&bought["level"]),
                        text(&bought["price"]),
                    )
                }))
            }
            Self::Purchases => {
                let answer: Value = client.get("shop/purchases").await?;
                let empty = "Nothing has been bought yet.";
                Ok(output.list(&answer, "purchases", empty, |bought| {
                    [
                        text(&bought["purchased_at"]),
                        text(&bought["item"]),
                        format!("level {}", text(&bought["level"])),
                        format!("{} coins", text(&bought["price"])),
                    ]
                }))
            }
        }
    }
}
