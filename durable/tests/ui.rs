//! What the attributes accept, and what the compiler says about everything else.
//!
//! One case per topic: the attributes report all mistakes of a file in one compile. After a change
//! of a message, `TRYBUILD=overwrite cargo test -p durable --test ui` writes the new texts; read
//! them before they are committed.

// R1:CHAIN-2, R1:CC-1, R1:CC-2, R1:CC-4, R1:CC-7, R1:CC-8, R1:CC-10 to R1:CC-13, R1:TYP-8, R1:TYP-12
// R1:ORCH-38, R1:SKIP-24, R3:BIND-10, R3:ENT-10, R3:ENT-34, R3:ENT-36 to R3:ENT-40, R2:ENT-28, R2:ENT-29, R2:ENT-60, R2:ENT-61
#[test]
fn each_mistake_is_reported_where_it_is_made() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
