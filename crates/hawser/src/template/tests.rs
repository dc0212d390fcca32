//! What templates print, checked against the output of the real docker client.

use serde_json::json;

use super::*;

fn data() -> Value {
    Value::from(&json!({
        "Name": "/c1",
        "Config": {"Cmd": ["sleep", "1000"], "Labels": {"a": "b"}, "Entrypoint": null},
        "State": {"Running": true, "Pid": 10312},
        "NetworkSettings": {
            "Networks": {"n2": {"IPAddress": "172.18.0.2"}, "bridge": {"IPAddress": "172.17.0.2"}},
            "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}
        }
    }))
}

fn run(template: &str) -> String {
    let template = Template::parse(template).unwrap();
    template.execute(&data(), Missing::NoValue, Functions::Usual).unwrap()
}

fn exec_error(template: &str, missing: Missing) -> String {
    let template = Template::parse(template).unwrap();
    template.execute(&data(), missing, Functions::Usual).unwrap_err().to_string()
}

fn parse_error(template: &str) -> String {
    Template::parse(template).err().unwrap().to_string()
}

#[test]
fn walks_fields_and_prints_values() {
    assert_eq!(run("{{.Name}} {{.State.Running}} {{.State.Pid}}"), "/c1 true 10312");
    assert_eq!(run("{{.Config.Cmd}} {{.Config.Labels}}"), "[sleep 1000] map[a:b]");
    assert_eq!(run("{{.Config.Labels.foo}} {{.Config.Entrypoint}}"), "<no value> <no value>");
    assert_eq!(run("{{.Config}}"), "map[Cmd:[sleep 1000] Entrypoint:<nil> Labels:map[a:b]]");
}

#[test]
fn loops_and_branches() {
    assert_eq!(
        run("{{range $k, $v := .NetworkSettings.Networks}}{{$k}}={{$v.IPAddress}};{{end}}"),
        "bridge=172.17.0.2;n2=172.18.0.2;"
    );
    assert_eq!(run("{{range $i, $e := .Config.Cmd}}{{if $i}},{{end}}{{$e}}{{end}}"), "sleep,1000");
    assert_eq!(run("{{range .Config.Cmd}}{{.}}{{break}}{{end}}"), "sleep");
    assert_eq!(run("{{range .Config.Cmd}}{{continue}}{{.}}{{end}}"), "");
    assert_eq!(run("{{range .Config.None}}x{{else}}none{{end}}"), "none");
    assert_eq!(run("{{with $x := .Name}}{{$x}}{{end}}{{/* c */}}{{- \" a \" -}} x"), "/c1 a x");
    assert_eq!(run("{{if .Config.None}}a{{else if .Name}}b{{else}}c{{end}}"), "b");
    assert_eq!(run("{{$n := 0}}{{range .Config.Cmd}}{{$n = .}}{{end}}{{$n}}"), "1000");
    assert_eq!(run("{{with .State}}{{$.Name}}{{end}}"), "/c1");
}

#[test]
fn calls_functions() {
    assert_eq!(run(r#"{{lower "A" | upper | printf "%5s|"}}"#), "    A|");
    assert_eq!(run(r#"{{join .Config.Cmd ","}} {{title "abc def"}}"#), "sleep,1000 Abc Def");
    assert_eq!(run(r#"{{split "a b" " "}} {{pad "a" 2 3}}|"#), "[a b]   a   |");
    assert_eq!(run(r#"{{truncate "abcdef" 3}} {{println 1 2}}"#), "abc 1 2\n");
    assert_eq!(run(r#"{{slice "abc" 1 2}} {{html "<a>"}}"#), "b &lt;a&gt;");
    assert_eq!(run(r#"{{urlquery "a b"}} {{js "it's"}}"#), r"a+b it\'s");
    assert_eq!(
        run(r#"{{print 1 2 "a" "b" 3}} {{and 1 0}} {{or 0 2}} {{not 0}}"#),
        "1 2ab3 0 2 true"
    );
    assert_eq!(run(r#"{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}"#), "8080");
    assert_eq!(
        run(r#"{{eq .Name "x" "/c1"}} {{ne 1 2}} {{lt 1 2}} {{ge "b" "a"}}"#),
        "true true true true"
    );
    assert_eq!(run("{{len .Config.Cmd}} {{len .Name}}"), "2 3");
    assert_eq!(
        run("{{json .Config}}"),
        r#"{"Cmd":["sleep","1000"],"Entrypoint":null,"Labels":{"a":"b"}}"#
    );
}

#[test]
fn formats_as_printf() {
    assert_eq!(
        run(r#"{{printf "%d|%5d|%-5d|%05d|%x|%q|%v|%t" 7 7 7 -7 255 "a\"" "s" true}}"#),
        r#"7|    7|7    |-0007|ff|"a\""|s|true"#
    );
    assert_eq!(run(r#"{{printf "%d" .State.Pid}}"#), "%!d(json.Number=10312)");
    assert_eq!(run(r#"{{printf "%s %s" "a"}}"#), "a %!s(MISSING)");
    assert_eq!(run(r#"{{printf "a" 1}}"#), "a%!(EXTRA int=1)");
    assert_eq!(run(r#"{{printf "%.2f %.1s %%" 1.005 "abc"}}"#), "1.00 a %");
}

#[test]
fn reports_what_does_not_fit_as_go_does() {
    assert_eq!(
        exec_error("{{.Nosuch}}", Missing::Error),
        r#"template: :1:2: executing "" at <.Nosuch>: map has no entry for key "Nosuch""#
    );
    assert_eq!(
        exec_error("{{.State.Pid.Foo}}", Missing::Error),
        r#"template: :1:8: executing "" at <.State.Pid.Foo>: can't evaluate field Foo in type interface {}"#
    );
    assert_eq!(
        exec_error("{{index .Config.Cmd 9}}", Missing::NoValue),
        r#"template: :1:2: executing "" at <index .Config.Cmd 9>: error calling index: index out of range: 9"#
    );
}

#[test]
fn reports_what_is_no_template_as_go_does() {
    assert_eq!(parse_error("{{.State"), "template: :1: unclosed action");
    assert_eq!(parse_error("{{foo}}"), r#"template: :1: function "foo" not defined"#);
    assert_eq!(parse_error("{{foo"), r#"template: :1: function "foo" not defined"#);
    assert_eq!(parse_error("{{if}}"), "template: :1: missing value for if");
    assert_eq!(parse_error("{{$x}}"), r#"template: :1: undefined variable "$x""#);
    assert_eq!(parse_error("{{if .A}}"), "template: :1: unexpected EOF");
    assert_eq!(parse_error("{{end}}"), "template: :1: unexpected {{end}}");
    assert_eq!(parse_error("a\n{{(.A}}"), "template: :2: unclosed left paren");
    assert_eq!(parse_error(r#"{{"a}}"#), "template: :1: unterminated quoted string");
    assert_eq!(parse_error("{{break}}"), "template: :1: {{break}} outside {{range}}");
}

#[test]
fn bounds_the_depth_of_a_template() {
    let deep = format!("{{{{{}1{}}}}}", "(".repeat(5000), ")".repeat(5000));
    assert_eq!(parse_error(&deep), "template: :1: max expression depth exceeded");
}
