//! Reads the constants of a Rust source file as data, without compiling it.

use std::collections::BTreeMap;
use std::path::Path;

/// A constant expression.
#[derive(Debug, Clone)]
pub enum Value {
    Str(String),
    Int(u64),
    Bool(bool),
    /// `&[..]` and `(..)`.
    List(Vec<Value>),
    /// `Name { field: value }`.
    Struct(BTreeMap<String, Value>),
    /// The last segment of a path, with its arguments: `None`, `Some(x)`, `Kind::Attribute`.
    Name(String, Vec<Value>),
}

impl Value {
    pub fn get(&self, field: &str) -> &Value {
        match self {
            Value::Struct(fields) => fields
                .get(field)
                .unwrap_or_else(|| panic!("no field {field} in {fields:?}")),
            other => panic!("{field} asked of {other:?}"),
        }
    }

    pub fn str(&self) -> &str {
        match self {
            Value::Str(s) => s,
            other => panic!("not a string: {other:?}"),
        }
    }

    pub fn int(&self) -> u64 {
        match self {
            Value::Int(n) => *n,
            other => panic!("not a number: {other:?}"),
        }
    }

    pub fn bool(&self) -> bool {
        match self {
            Value::Bool(b) => *b,
            other => panic!("not a boolean: {other:?}"),
        }
    }

    pub fn list(&self) -> &[Value] {
        match self {
            Value::List(items) => items,
            other => panic!("not a list: {other:?}"),
        }
    }

    pub fn strs(&self) -> Vec<&str> {
        self.list().iter().map(Value::str).collect()
    }

    pub fn name(&self) -> &str {
        match self {
            Value::Name(name, _) => name,
            other => panic!("not a name: {other:?}"),
        }
    }

    /// `Some(x)` as `x`, `None` as nothing.
    pub fn option(&self) -> Option<&Value> {
        match self {
            Value::Name(name, args) if name == "Some" => args.first(),
            Value::Name(name, _) if name == "None" => None,
            other => panic!("not an option: {other:?}"),
        }
    }
}

/// The value of every `static` and `const` of a file that is plain data.
pub fn statics(file: &Path) -> BTreeMap<String, Value> {
    let text = std::fs::read_to_string(file)
        .unwrap_or_else(|e| panic!("cannot read {}: {e}", file.display()));
    let parsed =
        syn::parse_file(&text).unwrap_or_else(|e| panic!("cannot parse {}: {e}", file.display()));
    parsed
        .items
        .iter()
        .filter_map(|item| match item {
            syn::Item::Static(s) => Some((s.ident.to_string(), value(&s.expr))),
            _ => None,
        })
        .collect()
}

fn value(expr: &syn::Expr) -> Value {
    match expr {
        syn::Expr::Lit(lit) => match &lit.lit {
            syn::Lit::Str(s) => Value::Str(s.value()),
            syn::Lit::Int(n) => Value::Int(n.base10_parse().expect("a small number")),
            syn::Lit::Bool(b) => Value::Bool(b.value),
            _ => panic!("unexpected literal"),
        },
        syn::Expr::Reference(r) => value(&r.expr),
        syn::Expr::Array(a) => Value::List(a.elems.iter().map(value).collect()),
        syn::Expr::Tuple(t) => Value::List(t.elems.iter().map(value).collect()),
        syn::Expr::Struct(s) => Value::Struct(
            s.fields
                .iter()
                .map(|f| match &f.member {
                    // `r#type` is a field name written raw.
                    syn::Member::Named(n) => (
                        n.to_string().trim_start_matches("r#").to_owned(),
                        value(&f.expr),
                    ),
                    syn::Member::Unnamed(i) => (i.index.to_string(), value(&f.expr)),
                })
                .collect(),
        ),
        syn::Expr::Path(p) => Value::Name(last(&p.path), Vec::new()),
        syn::Expr::Call(c) => match &*c.func {
            syn::Expr::Path(p) => Value::Name(last(&p.path), c.args.iter().map(value).collect()),
            _ => panic!("unexpected call"),
        },
        _ => panic!("not plain data"),
    }
}

fn last(path: &syn::Path) -> String {
    path.segments
        .last()
        .map(|s| s.ident.to_string())
        .unwrap_or_default()
}
