//! The one line that makes a plugin a component.

/// Makes `$plugin`, a [`Plugin`](crate::Plugin) with a `Default`, what the component exports. Stands in
/// the library of a crate with `crate-type = ["cdylib", "rlib"]`; builds for other targets than
/// WebAssembly see nothing of it.
///
/// ```
/// # use farmops_plugin::{Description, Observation, Plugin, Verdict};
/// #[derive(Default)]
/// struct Never;
///
/// impl Plugin for Never {
///     fn describe(&self) -> Description {
///         panic!("a real plugin says who it is")
///     }
///
///     fn verify(&self, _: &Observation) -> Verdict {
///         Verdict::rejected("nothing is work")
///     }
/// }
///
/// farmops_plugin::export!(Never);
/// ```
#[macro_export]
macro_rules! export {
    ($plugin:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::component::bindings::farmops::plugin::types as wit;

            static STATE: $crate::component::State<$plugin> = $crate::component::State::new();

            struct Exported;

            impl $crate::component::bindings::Guest for Exported {
                fn describe() -> wit::Description {
                    STATE.describe()
                }

                fn configure_sources(
                    granted: Vec<wit::Source>,
                    settings_json: Vec<u8>,
                ) -> Result<Vec<String>, String> {
                    STATE.configure(granted, &settings_json)
                }

                fn verify(observation: wit::Observation) -> wit::Verdict {
                    STATE.verify(observation)
                }
            }

            $crate::component::bindings::export!(Exported with_types_in $crate::component::bindings);
        };
    };
}
