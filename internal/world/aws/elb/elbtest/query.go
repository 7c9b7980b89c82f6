package elbtest

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const namespace = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"

func succeed(w http.ResponseWriter, call, result string) {
	w.Header().Set("Content-Type", "text/xml")
	_, _ = fmt.Fprintf(w, `<%[1]sResponse xmlns=%[2]q><%[1]sResult>%[3]s</%[1]sResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></%[1]sResponse>`,
		call, namespace, result)
}

func fail(w http.ResponseWriter, f Fault) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(f.Status)
	kind := "Sender"
	if f.Status >= http.StatusInternalServerError {
		kind = "Receiver"
	}
	_, _ = fmt.Fprintf(w, `<ErrorResponse xmlns=%q><Error><Type>%s</Type>%s%s</Error><RequestId>1</RequestId></ErrorResponse>`,
		namespace, kind, element("Code", f.Code), element("Message", f.Message))
}

func element(name, text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder takes all
	return "<" + name + ">" + b.String() + "</" + name + ">"
}

// members gives the fields of each member of a list: what follows "NAME.member.N".
func members(v url.Values, name string) []url.Values {
	var out []url.Values
	for n := 1; ; n++ {
		prefix := name + ".member." + strconv.Itoa(n)
		one := url.Values{}
		for key, values := range v {
			if rest, ok := strings.CutPrefix(key, prefix+"."); ok {
				one[rest] = values
			} else if key == prefix {
				one[""] = values
			}
		}
		if len(one) == 0 {
			return out
		}
		out = append(out, one)
	}
}

func invalid(format string, args ...any) *Fault {
	return &Fault{http.StatusBadRequest, "ValidationError", fmt.Sprintf(format, args...)}
}

func absent(code, arn string) *Fault {
	return &Fault{http.StatusBadRequest, code, "'" + arn + "' not found"}
}

func (b *Balancer) describeListeners(v url.Values) (string, *Fault) {
	return b.describe(v, "ListenerArns", "ListenerNotFound", "Listeners", "ListenerArn", "DefaultActions")
}

func (b *Balancer) describeRules(v url.Values) (string, *Fault) {
	return b.describe(v, "RuleArns", "RuleNotFound", "Rules", "RuleArn", "Actions")
}

func (b *Balancer) describe(v url.Values, arns, code, list, arn, actions string) (string, *Fault) {
	var out strings.Builder
	for _, m := range members(v, arns) {
		f := b.forward[m.Get("")]
		if f == nil {
			return "", absent(code, m.Get(""))
		}
		now := f.actions
		if f.late > 0 {
			f.late--
			now = f.before
		}
		out.WriteString("<member>" + element(arn, m.Get("")) + "<" + actions + ">" + shown(now) + "</" + actions + "></member>")
	}
	return "<" + list + ">" + out.String() + "</" + list + ">", nil
}

// shown gives actions as AWS does: a single group beside the configuration too,
// and no secret.
func shown(actions []action) string {
	var out strings.Builder
	for i, a := range actions {
		out.WriteString("<member>" + element("Type", a.kind) + element("Order", strconv.Itoa(i+1)))
		if a.client != "" {
			out.WriteString("<AuthenticateOidcConfig>" + element("ClientId", a.client))
			for _, name := range []string{"Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint"} {
				out.WriteString(element(name, "https://login.example.com"))
			}
			out.WriteString("</AuthenticateOidcConfig>")
		}
		if a.kind == "forward" {
			if len(a.groups) == 1 {
				out.WriteString(element("TargetGroupArn", a.groups[0].group))
			}
			out.WriteString("<ForwardConfig><TargetGroups>")
			for _, w := range a.groups {
				n := w.n
				if len(a.groups) == 1 {
					n = 1
				}
				out.WriteString("<member>" + element("TargetGroupArn", w.group) + element("Weight", strconv.Itoa(n)) + "</member>")
			}
			out.WriteString("</TargetGroups><TargetGroupStickinessConfig><Enabled>true</Enabled>" + element("DurationSeconds", a.stickyFor) + "</TargetGroupStickinessConfig></ForwardConfig>")
		}
		out.WriteString("</member>")
	}
	return out.String()
}

// modify replaces the actions of a listener or rule, if they are such as AWS takes.
func (b *Balancer) modify(arn, list, code string) func(url.Values) (string, *Fault) {
	return func(v url.Values) (string, *Fault) {
		f := b.forward[v.Get(arn)]
		switch {
		case f == nil:
			return "", absent(code, v.Get(arn))
		case f.fixed:
			return "", &Fault{http.StatusBadRequest, "OperationNotPermitted", "Default rule '" + v.Get(arn) + "' cannot be modified"}
		}
		var next []action
		for _, m := range members(v, list) {
			a, fault := b.action(m)
			if fault != nil {
				return "", fault
			}
			next = append(next, a)
		}
		if len(next) == 0 || next[len(next)-1].kind != "forward" {
			return "", invalid("the last action has to forward")
		}
		f.before, f.actions, f.late = f.actions, next, b.o.Late
		for _, g := range b.groups {
			g.used = false
		}
		for _, other := range b.forward {
			for _, w := range other.actions[len(other.actions)-1].groups {
				b.groups[w.group].used = true
			}
		}
		return "", nil
	}
}

func (b *Balancer) action(m url.Values) (action, *Fault) {
	a := action{kind: m.Get("Type"), stickyFor: m.Get("ForwardConfig.TargetGroupStickinessConfig.DurationSeconds")}
	if id := m.Get("AuthenticateOidcConfig.ClientId"); id != "" {
		if m.Get("AuthenticateOidcConfig.ClientSecret") == "" && m.Get("AuthenticateOidcConfig.UseExistingClientSecret") != "true" {
			return a, invalid("a client secret is required")
		}
		a.client = id
	}
	if a.kind != "forward" {
		return a, nil
	}
	groups := members(m, "ForwardConfig.TargetGroups")
	if single := m.Get("TargetGroupArn"); single != "" {
		if len(groups) > 1 || len(groups) == 1 && groups[0].Get("TargetGroupArn") != single {
			return a, invalid("TargetGroupArn and ForwardConfig do not agree")
		}
		groups = []url.Values{{"TargetGroupArn": {single}, "Weight": {"1"}}}
	}
	switch {
	case len(groups) == 0:
		return a, invalid("a forward action needs a target group")
	case len(groups) > 5:
		return a, &Fault{http.StatusBadRequest, "TooManyTargetGroups", "at most 5 target groups in an action"}
	}
	for _, g := range groups {
		n, err := strconv.Atoi(g.Get("Weight"))
		if err != nil || n < 0 || n > 999 {
			return a, invalid("weight %q is not from 0 to 999", g.Get("Weight"))
		}
		arn := g.Get("TargetGroupArn")
		if b.groups[arn] == nil {
			return a, absent("TargetGroupNotFound", arn)
		}
		a.groups = append(a.groups, weight{arn, n})
	}
	return a, nil
}

func (b *Balancer) describeGroups(v url.Values) (string, *Fault) {
	var out strings.Builder
	for _, m := range members(v, "TargetGroupArns") {
		g := b.groups[m.Get("")]
		if g == nil {
			return "", absent("TargetGroupNotFound", m.Get(""))
		}
		out.WriteString("<member>" + element("TargetGroupArn", m.Get("")) + element("TargetType", g.kind) + "</member>")
	}
	return "<TargetGroups>" + out.String() + "</TargetGroups>", nil
}

// describeHealth gives each target's state. A group that no action forwards to is
// not checked.
func (b *Balancer) describeHealth(v url.Values) (string, *Fault) {
	g := b.groups[v.Get("TargetGroupArn")]
	if g == nil {
		return "", absent("TargetGroupNotFound", v.Get("TargetGroupArn"))
	}
	var out strings.Builder
	var stay []*registered
	for _, t := range g.targets {
		state := "healthy"
		switch {
		case t.leaving:
			state = "draining"
		case !g.used:
			state = "unused"
		case t.asked < b.o.Checks:
			state = "initial"
		case g.down:
			state = "unhealthy"
		}
		if g.used || t.leaving {
			t.asked++
		}
		if t.leaving && t.asked > b.o.Draining {
			continue
		}
		stay = append(stay, t)
		out.WriteString("<member><Target>" + element("Id", t.id) + element("Port", t.port) + "</Target><TargetHealth>" + element("State", state) + "</TargetHealth></member>")
	}
	g.targets = stay
	return "<TargetHealthDescriptions>" + out.String() + "</TargetHealthDescriptions>", nil
}

func (b *Balancer) register(v url.Values) (string, *Fault) {
	g := b.groups[v.Get("TargetGroupArn")]
	if g == nil {
		return "", absent("TargetGroupNotFound", v.Get("TargetGroupArn"))
	}
	for _, m := range members(v, "Targets") {
		if g.kind == "ip" && strings.Count(m.Get("Id"), ".") != 3 {
			return "", &Fault{http.StatusBadRequest, "InvalidTarget", "The IP address '" + m.Get("Id") + "' is not valid"}
		}
		i := slices.IndexFunc(g.targets, func(t *registered) bool { return t.id == m.Get("Id") && t.port == m.Get("Port") })
		if i < 0 {
			g.targets = append(g.targets, &registered{id: m.Get("Id"), port: m.Get("Port")})
		} else if g.targets[i].leaving {
			*g.targets[i] = registered{id: m.Get("Id"), port: m.Get("Port")}
		}
	}
	return "", nil
}

func (b *Balancer) deregister(v url.Values) (string, *Fault) {
	g := b.groups[v.Get("TargetGroupArn")]
	if g == nil {
		return "", absent("TargetGroupNotFound", v.Get("TargetGroupArn"))
	}
	for _, m := range members(v, "Targets") {
		for _, t := range g.targets {
			if t.id == m.Get("Id") && t.port == m.Get("Port") && !t.leaving {
				t.leaving, t.asked = true, 0
			}
		}
	}
	return "", nil
}
