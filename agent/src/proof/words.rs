//! A finding's words, held against what the plugin declared and brought into the proof's lists.

use farmops_plugin::{self as plugin, Description, Finding};
use farmops_protocol::proof::{ActionType, ActorType, Category, Complexity, OutcomeStatus};

/// The plugin names something that it did not declare, or left something out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undeclared {
    /// No such template.
    #[error("the plugin names a template that it did not declare")]
    Template,
    /// The values do not fit the template.
    #[error("the plugin's values do not fit its template")]
    Values(#[from] plugin::template::DoesNotFit),
    /// No such subcategory.
    #[error("the plugin names a subcategory that it did not declare")]
    Subcategory,
    /// No such category.
    #[error("the plugin names a category that it did not declare")]
    Category,
    /// A word of the contract's lists is missing.
    #[error("the plugin does not say the {0}")]
    Unsaid(&'static str),
}

/// What a proof says in words.
pub(super) struct Said {
    pub(super) action_type: ActionType,
    pub(super) category: Category,
    pub(super) subcategory: Option<String>,
    pub(super) description: String,
    pub(super) actor_type: ActorType,
    pub(super) status: OutcomeStatus,
    pub(super) complexity: Complexity,
    /// Every text that the declaration brings along.
    pub(super) own_words: Vec<String>,
}

pub(super) fn read(description: &Description, finding: &Finding) -> Result<Said, Undeclared> {
    let template = description
        .template(&finding.template)
        .ok_or(Undeclared::Template)?;
    if !description.categories.contains(&finding.category) {
        return Err(Undeclared::Category);
    }
    if let Some(word) = &finding.subcategory
        && !description.subcategories.contains(word)
    {
        return Err(Undeclared::Subcategory);
    }
    let own = template.own_words().map(str::to_owned);
    let own = own.chain(description.subcategories.iter().cloned());
    Ok(Said {
        action_type: action_type(finding.action_type).ok_or(Undeclared::Unsaid("action type"))?,
        category: category(finding.category).ok_or(Undeclared::Unsaid("category"))?,
        subcategory: finding.subcategory.clone(),
        description: template.render(&finding.numbers, &finding.words)?,
        actor_type: actor_type(finding.actor.kind).ok_or(Undeclared::Unsaid("actor's type"))?,
        status: status(finding.outcome).ok_or(Undeclared::Unsaid("outcome"))?,
        complexity: complexity(finding.hints.complexity).ok_or(Undeclared::Unsaid("complexity"))?,
        own_words: own.collect(),
    })
}

const fn action_type(word: plugin::ActionType) -> Option<ActionType> {
    use plugin::ActionType as Wire;
    Some(match word {
        Wire::Verify => ActionType::Verify,
        Wire::Fix => ActionType::Fix,
        Wire::Upgrade => ActionType::Upgrade,
        Wire::Deploy => ActionType::Deploy,
        Wire::Resolve => ActionType::Resolve,
        Wire::Review => ActionType::Review,
        Wire::Configure => ActionType::Configure,
        Wire::Observe => ActionType::Observe,
        Wire::Unspecified => return None,
    })
}

const fn category(word: plugin::Category) -> Option<Category> {
    use plugin::Category as Wire;
    Some(match word {
        Wire::Maintenance => Category::Maintenance,
        Wire::Toil => Category::Toil,
        Wire::Reliability => Category::Reliability,
        Wire::Security => Category::Security,
        Wire::Incident => Category::Incident,
        Wire::Upgrade => Category::Upgrade,
        Wire::Unspecified => return None,
    })
}

const fn actor_type(word: plugin::ActorType) -> Option<ActorType> {
    use plugin::ActorType as Wire;
    Some(match word {
        Wire::Human => ActorType::Human,
        Wire::Bot => ActorType::Bot,
        Wire::System => ActorType::System,
        Wire::Unspecified => return None,
    })
}

const fn status(word: plugin::OutcomeStatus) -> Option<OutcomeStatus> {
    use plugin::OutcomeStatus as Wire;
    Some(match word {
        Wire::Success => OutcomeStatus::Success,
        Wire::Failure => OutcomeStatus::Failure,
        Wire::Partial => OutcomeStatus::Partial,
        Wire::Unspecified => return None,
    })
}

const fn complexity(word: plugin::Complexity) -> Option<Complexity> {
    use plugin::Complexity as Wire;
    Some(match word {
        Wire::Low => Complexity::Low,
        Wire::Medium => Complexity::Medium,
        Wire::High => Complexity::High,
        Wire::Unspecified => return None,
    })
}
