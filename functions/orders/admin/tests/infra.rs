//! The committed templates are those that the declaration gives.

use std::path::Path;

use ledgerfold_infra::files;

#[test]
fn the_templates_match_the_declaration() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../infra");
    let generated =
        files(&orders::context(), &orders_admin::changes()).expect("the declaration is sound");
    let differences: Vec<_> =
        generated.iter().filter_map(|file| file.difference(&folder)).collect();
    assert!(
        differences.is_empty(),
        "{}\nWrite the templates with `cargo run -p orders-admin -- infra`.",
        differences.join("\n")
    );
}
