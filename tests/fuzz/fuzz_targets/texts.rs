//! The small texts that requests, filters and configuration consist of: refused, or what is read of one
//! is read again of how it is shown. The first byte says which kind it is.

#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use gz_monitor::alert::Matcher;
use gz_monitor::hub::{Place, client_id, client_number};
use gz_monitor::server::{Fingerprint, ListedHost, ListedOrigin, Role};
use gz_monitor::severity::Severity;
use gz_monitor::units::{ByteSize, HumanDuration};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Some((kind, text)) = text.split_at_checked(1) else { return };
    match kind {
        "d" => {
            let Ok(duration) = text.parse::<HumanDuration>() else { return };
            assert_eq!(duration.exact().parse(), Ok(duration));
            let shown: HumanDuration = duration.to_string().parse().expect("as it is shown");
            assert!(shown <= duration);
        }
        "b" => same::<ByteSize>(text),
        "p" => same::<Place>(text),
        "r" => same::<Role>(text),
        "m" => {
            let Ok(matcher) = text.parse::<Matcher>() else { return };
            let again: Matcher = matcher.to_string().parse().expect("as it is shown");
            assert_eq!(again, matcher);
            for label in [None, Some(""), Some("sda"), Some(text)] {
                let holds = |it: &Matcher| it.holds(|_| label, Severity::High);
                assert_eq!(holds(&again), holds(&matcher));
            }
        }
        "h" => converted::<ListedHost>(text),
        "o" => converted::<ListedOrigin>(text),
        "f" => {
            if let Ok(fingerprint) = Fingerprint::try_from(text.to_owned()) {
                assert_eq!(fingerprint.to_string(), text.to_ascii_lowercase());
            }
        }
        "c" => {
            if let Some(number) = client_number(text) {
                assert_eq!(client_number(&client_id(number)), Some(number));
            }
        }
        _ => {}
    }
});

fn same<T: FromStr + Display + Debug + PartialEq>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        let again = read.to_string().parse::<T>();
        assert_eq!(again.ok().as_ref(), Some(&read));
    }
}

fn converted<T>(text: &str)
where
    T: TryFrom<String> + Into<String> + Clone + Debug + PartialEq,
{
    if let Ok(read) = T::try_from(text.to_owned()) {
        assert_eq!(T::try_from(read.clone().into()).ok().as_ref(), Some(&read));
    }
}
