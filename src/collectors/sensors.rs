//! Temperature sensors, by sysinfo.

use std::collections::HashMap;

use gz_monitor_sdk::{Error, Result, Sink};
use sysinfo::{Component, Components};

/// The list of sensors reads several files for each and hardly ever changes, so it is made anew
/// only every so many readings.
const LIST_EVERY: u32 = 100;

/// All sensors that tell a temperature.
pub struct Sensors {
    components: Components,
    names: Vec<String>,
    age: u32,
}

impl Sensors {
    pub fn new() -> Result<Self> {
        let unavailable = |error: sysinfo::Error| Error::Unavailable(error.to_string());
        let components = Components::new_with_refreshed_list().map_err(unavailable)?;
        let names = names(&components);
        Ok(Self { components, names, age: 0 })
    }

    /// Emits `system_temperature_celsius{sensor}`.
    pub fn emit(&mut self, out: &mut Sink<'_>) {
        self.age += 1;
        if self.age >= LIST_EVERY {
            self.age = 0;
            self.components.refresh(true);
            self.names = names(&self.components);
        } else {
            self.components.iter_mut().for_each(Component::refresh);
        }
        for (component, name) in self.components.iter().zip(&self.names) {
            if let Some(celsius) = component.temperature().filter(|celsius| celsius.is_finite()) {
                // Sensors tell thousandths of a degree; an f32 as it is would show more digits.
                let celsius = (f64::from(celsius) * 1000.0).round() / 1000.0;
                out.gauge("system_temperature_celsius", celsius, &[("sensor", name)]);
            }
        }
    }
}

/// A name for each: its label, with its place on the bus where two have the same label.
fn names(components: &[Component]) -> Vec<String> {
    let mut count: HashMap<&str, usize> = HashMap::new();
    for component in components {
        *count.entry(component.label()).or_default() += 1;
    }
    let name = |component: &Component| match (component.id(), count[component.label()]) {
        (Some(id), 2..) => format!("{} {id}", component.label()),
        _ => component.label().to_owned(),
    };
    components.iter().map(name).collect()
}
