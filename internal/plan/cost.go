package plan

import "github.com/tranship/tranship/internal/base/unit"

// Prices says where the plan's prices come from.
type Prices struct {
	Region    string `json:"region"`
	Date      string `json:"date"`
	Source    string `json:"source"`
	Estimated bool   `json:"estimated,omitempty"`
}

// A Bill compares what is paid today with what will be, per month of 730 hours.
type Bill struct {
	Today    []Line `json:"today"`
	Tomorrow []Line `json:"tomorrow"`
	// Levers lead from the sum of Today to that of Tomorrow, to the millionth of
	// a dollar.
	Levers []Lever `json:"levers"`
	// Saving is the share of Today that is saved; Wished what policy asks for.
	Saving float64 `json:"saving"`
	Wished float64 `json:"wished,omitempty"`
	// Reachable is the most that can be saved, from the proven bound.
	Reachable float64 `json:"reachable"`
	// Short says, where Saving is below Wished, what would have to give.
	Short []string `json:"short,omitempty"`
	// Dual is what running both worlds costs, BreakEven the day on which the
	// savings have paid for it (as 2006-01-02); empty for never.
	Dual       unit.Money `json:"dual"`
	DualMonths float64    `json:"dualMonths"`
	BreakEven  string     `json:"breakEven,omitempty"`
	// Support is the version's calendar.
	Support Support `json:"support,omitzero"`
	// Spend is what both worlds cost a day, over the calendar of the move.
	Spend []SpendDay `json:"spend,omitempty"`
}

// A Line of a bill.
type Line struct {
	Name  string  `json:"name"`
	Count float64 `json:"count"`
	// Each is the price of one for Per.
	Each unit.Money `json:"each"`
	Per  string     `json:"per"` // "hour", "month", "GB-month", "GB"
	// Month is what the line comes to.
	Month unit.Money `json:"month"`
	Why   string     `json:"why"`
}

// A Lever changes the bill by Delta a month, negative saves.
type Lever struct {
	Name  string     `json:"name"` // "right-size", "pack", "instance choice", ...
	Delta unit.Money `json:"delta"`
	Why   string     `json:"why"`
}

// Support is until when the control plane costs what it costs.
type Support struct {
	Kubernetes string `json:"kubernetes"`
	// StandardUntil is the day on which extended support begins, ExtendedUntil
	// that on which it ends.
	StandardUntil string `json:"standardUntil"`
	ExtendedUntil string `json:"extendedUntil"`
	// Fee and ExtendedFee are per hour.
	Fee         unit.Money `json:"fee"`
	ExtendedFee unit.Money `json:"extendedFee"`
}

// A SpendDay is what one day of the move costs.
type SpendDay struct {
	Date   string     `json:"date"`
	Source unit.Money `json:"source"`
	Target unit.Money `json:"target"`
	// Wave that moves on this day, 0 for none.
	Wave int `json:"wave,omitempty"`
}
