//! Parameters that say how a search is answered, not what is searched.

use crate::{outcome::Issue, release::Choice, search::query::IncludeWay};

use super::{Outcome, Reader, SummaryMode, Total, include, refusal, sort};

impl<'a> Reader<'a> {
    /// What became of a control parameter; `None` when it is not one.
    pub(super) fn control(&mut self, name: &'a str, value: &'a str) -> Option<Result<Outcome, Vec<Issue>>> {
        let plain = name.split_once(':').map_or(name, |(plain, _)| plain);
        let result = match plain {
            // The caller sees to these; they are no part of the search.
            "_format" | "_pretty" | "fhirVersion" => return Some(Ok(Outcome::PassedOver)),
            "_cursor" => {
                self.page.cursor = Some(value.to_owned());
                return Some(Ok(Outcome::PassedOver));
            }
            "_include" => self.include(IncludeWay::Forward, name, value),
            "_revinclude" => self.include(IncludeWay::Reverse, name, value),
            "_sort" | "_elements" | "_count" | "_total" | "_summary" | "_contained" | "_type" if plain != name => {
                Err(refusal::not_supported(name, ("it takes no modifier", "il ne prend pas de modificateur")))
            }
            "_sort" => self.sort(value),
            "_elements" => self.elements(value),
            "_count" => self.once(name).and_then(|()| self.count(value)),
            "_total" => self.once(name).and_then(|()| self.total(value)),
            "_summary" => self.once(name).and_then(|()| self.summary(value)),
            "_contained" => contained(value),
            // Read before anything else, in a search of the whole system.
            "_type" if self.request.types.is_empty() => Ok(()),
            "_type" => {
                let why = (
                    "the type is said by the address; leave _type out, or search the whole system",
                    "le type est dit par l'adresse ; retirer _type, ou chercher dans tout le système",
                );
                Err(refusal::not_supported(name, why))
            }
            _ => return None,
        };
        Some(result.map(|()| Outcome::Used).map_err(|issue| vec![issue]))
    }

    fn once(&self, name: &str) -> Result<(), Issue> {
        if self.used.iter().any(|(used, _)| used == name) {
            return Err(refusal::not_supported(name, ("it is given twice", "il est donné deux fois")));
        }
        Ok(())
    }

    fn include(&mut self, way: IncludeWay, name: &str, value: &str) -> Result<(), Issue> {
        let limit = self.request.context.limits.includes;
        if self.includes.len() >= limit {
            return Err(refusal::too_many_includes(name, limit));
        }
        let read = include::read(self.request, &self.names, way, name, value)?;
        self.issues.extend(read.note);
        if !self.includes.contains(&read.include) {
            self.includes.push(read.include);
        }
        Ok(())
    }

    fn sort(&mut self, value: &str) -> Result<(), Issue> {
        let keys = sort::read(self.request, &self.names, value)?;
        if self.sort.len() + keys.len() > SORT_KEYS {
            let why = ("a search sorts by at most 8 parameters", "une recherche trie par au plus 8 paramètres");
            return Err(refusal::not_supported("_sort", why));
        }
        self.sort.extend(keys);
        Ok(())
    }

    fn count(&mut self, value: &str) -> Result<(), Issue> {
        let most = self.request.context.limits.page;
        match value.trim().parse::<u32>() {
            Ok(count) if count <= most => {
                self.page.count = Some(count);
                Ok(())
            }
            Ok(_) => Err(refusal::page_too_large(most)),
            Err(_) => {
                let wanted = ("it must be a whole number, 0 or more", "attendu : un nombre entier, 0 ou plus");
                Err(refusal::bad_value("_count", value, wanted))
            }
        }
    }

    fn total(&mut self, value: &str) -> Result<(), Issue> {
        self.page.total = match value {
            "none" => Total::None,
            "estimate" => Total::Bounded,
            "accurate" => Total::Accurate,
            other => {
                let wanted = ("it must be none, estimate or accurate", "attendu : none, estimate ou accurate");
                return Err(refusal::bad_value("_total", other, wanted));
            }
        };
        Ok(())
    }

    fn summary(&mut self, value: &str) -> Result<(), Issue> {
        self.page.summary = match value {
            "false" => SummaryMode::Whole,
            "true" => SummaryMode::Summary,
            "text" => SummaryMode::Text,
            "data" => SummaryMode::Data,
            "count" => SummaryMode::Count,
            other => {
                let wanted =
                    ("it must be true, text, data, count or false", "attendu : true, text, data, count ou false");
                return Err(refusal::bad_value("_summary", other, wanted));
            }
        };
        Ok(())
    }

    /// Elements of the types searched, in the release of the request.
    fn elements(&mut self, value: &str) -> Result<(), Issue> {
        let release = self.request.release;
        let mut elements = Vec::new();
        for path in value.split(',').map(str::trim) {
            // What every resource says of itself is shown anyway. It is kept in the list: asked for
            // alone, it asks for nothing else.
            if path == "resourceType" {
                elements.push(path.to_owned());
                continue;
            }
            // `DocumentReference.date` says the type as well.
            let name = match path.split_once('.') {
                Some((of, name)) if self.names.contains(&of) => name,
                _ => path,
            };
            let has = |of: &&'static str| {
                release.resource(of).is_some_and(|structure| match structure.element(name) {
                    Some(element) => element.choice == Choice::Single || !element.types.is_empty(),
                    None => structure.member(name).is_some(),
                })
            };
            if !self.names.iter().any(has) {
                let wanted = (
                    "it lists elements that the resources searched have at their root",
                    "elle énumère des éléments que les ressources cherchées ont à leur racine",
                );
                return Err(refusal::bad_value("_elements", path, wanted));
            }
            elements.push(name.to_owned());
        }
        for name in elements {
            if !self.page.elements.contains(&name) {
                self.page.elements.push(name);
            }
        }
        Ok(())
    }
}

const SORT_KEYS: usize = 8;

fn contained(value: &str) -> Result<(), Issue> {
    if value == "false" {
        return Ok(());
    }
    let why = (
        "contained resources are found with the resource that contains them",
        "les ressources contenues se trouvent avec celle qui les contient",
    );
    Err(refusal::not_supported("_contained", why))
}
