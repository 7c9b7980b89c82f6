// Package binpack chooses bins of several priced types for items with sizes in
// several dimensions, so that everything fits at the least cost, and says how
// far from the least it can be. It takes bare numbers and gives bins with a
// lower bound. It never reads a clock, and the same input, seed and number of
// iterations give the same bins.
//
// # How it packs
//
//   - Items of equal size and rules are merged into classes; types that another
//     makes needless are left out; both get an order of their own (reduce).
//   - The fluid relaxation, a linear program on the numbers of bins of each
//     type, gives values of the classes (package fleet).
//   - First packings go bin by bin, to the type and load of most value for its
//     price; what goes into a bin is chosen by its match with the room that is
//     left (Panigrahy, Talwar, Uyeda and Wieder 2011) and then exchanged piece
//     by piece (package search).
//   - Where there are not too many classes, column generation (Gilmore and
//     Gomory 1961) finds better values, and loads that are rounded to packings
//     (package column).
//   - Where few bins do, the numbers of bins are gone through from the cheapest
//     on, and each is packed or shown to be too few (enumerate).
//   - The rest of the work goes to ruin and recreate (Schrimpf, Schneider,
//     Stamm-Wilbrandt and Dueck 2000), in parts that run at the same time.
//
// # What bounds it
//
// All bounds are inequalities on the numbers n(t) of bins of each type. For any
// weights of the classes, no bin of type t holds more than some weight w(t), so
// Σ w(t)·n(t) is at least the weight of everything. Such rows come from the
// resources (for each set of types that something is bound to), from what a bin
// can really use of one dimension while another runs out, from the values of
// the configuration programme (with which the row alone is the bound of Farley
// 1990), and from weights that show that a given fleet is too small, found by
// the subgradient method (Held and Karp 1971). The w(t) are proven: the least
// of a fluid relaxation, a branch and bound with its open nodes counted in, and
// a dynamic program along each dimension. The least cost in whole bins that
// keeps all rows, by branch and bound cut short at any time, is the bound.
//
// # What an iteration is
//
// An iteration is a fixed amount of work: so many classes looked at, entries of
// a tableau touched, nodes visited. Every part counts what it does, and so the
// time of an iteration hardly depends on the size of the problem.
package binpack
