//! Has a release built anew when the suite has changed, which it embeds. While developing, the suite
//! is read from its folder, and a new scenario needs no rebuild.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo:rerun-if-changed=.");
    }
}
