package operator

import "testing"

func TestFrameworkIsKnownByItsPackageWhateverItsNameAdds(t *testing.T) {
	for _, tc := range []struct{ name, pkg, want string }{
		{"kafka", "kafka", "Strimzi or Amazon MSK"},
		{"/prod/kafka", "kafka", "Strimzi or Amazon MSK"},
		{"prod__cassandra", "cassandra", "K8ssandra (cass-operator)"},
		{"chronos-2.4.0", "chronos", "CronJob"},
		{"Kafka 2", "kafka", "Strimzi or Amazon MSK"},
		{"our-own-thing", "our-own-thing", "unknown"},
		{"", "", "unknown"},
	} {
		got := For(tc.name)
		if got.Package != tc.pkg || got.Name != tc.want || got.Advice == "" {
			t.Errorf("For(%q) = %+v, want package %q and %q", tc.name, *got, tc.pkg, tc.want)
		}
	}
}
