//! Every rule of `farmops-lint`, applied to this repository.

use std::sync::LazyLock;

use farmops_lint::graph::Graph;
use farmops_lint::source::SourceFile;
use farmops_lint::{
    arrows, clauses, demand_none, files, lean, libraries, licences, links, tree, words,
};

#[expect(clippy::expect_used, reason = "a test without the graph cannot pass")]
static GRAPH: LazyLock<Graph> =
    LazyLock::new(|| Graph::load(&tree::root()).expect("the workspace's graph"));
#[expect(clippy::expect_used, reason = "a test without the tree cannot pass")]
static TEXTS: LazyLock<Vec<(String, String)>> =
    LazyLock::new(|| tree::texts(&tree::root()).expect("the workspace's files"));
static SOURCES: LazyLock<Vec<SourceFile>> = LazyLock::new(|| tree::sources(&TEXTS));

#[test]
fn crates_import_only_what_the_table_allows() {
    assert!(GRAPH.members().count() >= arrows::ARROWS.len());
    demand_none("arrows between crates", &arrows::check(&GRAPH));
}

#[test]
fn libraries_stay_where_they_belong() {
    demand_none("libraries", &libraries::check_graph(&GRAPH));
    demand_none("libraries", &libraries::check_sources(&SOURCES));
}

#[test]
fn programs_link_no_more_than_they_need() {
    let findings = lean::check(&tree::root());
    #[expect(clippy::expect_used, reason = "a test without the graph cannot pass")]
    let findings = findings.expect("the programs' graphs");
    demand_none("what programs link", &findings);
}

#[test]
fn licences_allow_what_we_link() {
    demand_none("licences", &licences::check(&GRAPH));
}

#[test]
fn source_files_have_their_shape() {
    demand_none("shape of source files", &files::check(&SOURCES));
}

#[test]
fn clauses_are_defined_once_and_cited_right() {
    demand_none("clauses", &clauses::check(&TEXTS));
}

#[test]
fn no_word_promises_or_betrays() {
    demand_none("words", &words::check(&TEXTS));
}

#[test]
fn documents_point_at_what_is_there() {
    let root = tree::root();
    let findings = links::check(&TEXTS, &|path| root.join(path).exists());
    demand_none("links", &findings);
}
