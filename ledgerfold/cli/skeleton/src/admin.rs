//! The operators' program: generated files, audit, repair, rebuild and more.

fn main() -> std::process::ExitCode {
    ledgerfold_cli::Admin::new(__ident__::context())
        .documented("openapi.json", __ident__::api().openapi())
        .main()
}
