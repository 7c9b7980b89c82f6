package catalog

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonfile"
)

// Import reads a price list of AWS that holds one region; ImportRegion says
// how.
func Import(file string, r io.Reader) (Catalog, diag.List) { return ImportRegion("", file, r) }

// ImportRegion reads a price list of AWS, the offer file of AmazonEC2 as JSON or
// CSV, of whatever size: what is not wanted is forgotten as it is read. It takes
// the prices of one region on demand for Linux on shared machines without
// licensed software; sizes and limits, which price lists do not give, are those
// of the embedded list.
func ImportRegion(region, file string, r io.Reader) (Catalog, diag.List) {
	o := NewOffers(region, file)
	in := bufio.NewReaderSize(r, 1<<16)
	if b, err := in.Peek(3); err == nil && string(b) == "\xef\xbb\xbf" {
		_, _ = in.Discard(3)
	}
	ok := false
	if first(in) == '{' {
		ok = o.readJSON(in)
	} else {
		ok = o.readCSV(in)
	}
	if !ok {
		return Catalog{}, o.sorted()
	}
	return o.Catalog()
}

// first gives the first byte that is no space, without reading it; spaces
// before it are left where they are unless there are very many.
func first(in *bufio.Reader) byte {
	b, _ := in.Peek(512)
	if s := strings.TrimLeft(string(b), " \t\r\n"); s != "" {
		return s[0]
	}
	return 0
}

func (o *Offers) noList(at diag.Pos, problem string) {
	o.say(NoPriceList, diag.Error, at, "price list", problem, "import the offer file of AmazonEC2, index.json or index.csv")
}

func (o *Offers) cut(at diag.Pos, err error) {
	o.say(CutPriceList, diag.Error, at, "price list", "cannot be read further: "+strings.ReplaceAll(err.Error(), "\n", " "), "fetch the file again")
}

// errEnough ends reading when all that is wanted was read.
var errEnough = errors.New("enough")

// offerFile is the state of reading a JSON offer file.
type offerFile struct {
	*Offers
	dec      *json.Decoder
	lines    *lines
	products bool // were read
	known    bool // it looks like a price list
}

// readJSON reads an offer file element by element and reports whether it is one.
func (o *Offers) readJSON(r io.Reader) bool {
	l := &lines{r: r}
	f := offerFile{Offers: o, dec: json.NewDecoder(l), lines: l}
	err := jsonfile.Object(f.dec, f.member)
	if err != nil && !errors.Is(err, errEnough) {
		at := f.failed(err)
		if !f.known {
			o.noList(at, "is neither the JSON nor the CSV of an offer file")
			return false
		}
		o.cut(at, tidy(err))
		return true
	}
	if !f.known {
		o.noList(diag.Pos{File: o.file}, "has neither products nor terms")
	}
	return f.known
}

// tidy takes the keys off an error, which may be long.
func tidy(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			break
		}
		err = inner
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (f *offerFile) pos() diag.Pos {
	line, column := f.lines.place(f.dec.InputOffset())
	return diag.Pos{File: f.file, Line: line, Column: column}
}

// failed is where reading failed.
func (f *offerFile) failed(err error) diag.Pos {
	offset := f.dec.InputOffset()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		offset = max(syntax.Offset-1, 0)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		offset = f.lines.read
	}
	line, column := f.lines.place(offset)
	return diag.Pos{File: f.file, Line: line, Column: column}
}

func (f *offerFile) member(key string) error {
	switch key {
	case "offerCode":
		return f.dec.Decode(&f.code)
	case "version":
		return f.dec.Decode(&f.version)
	case "publicationDate":
		return f.dec.Decode(&f.published)
	case "products":
		f.known = true
		if err := jsonfile.Object(f.dec, f.readProduct); err != nil {
			return err
		}
		f.products = true
		return nil
	case "terms":
		f.known = true
		return jsonfile.Object(f.dec, f.readTerms)
	}
	return skip(f.dec)
}

func (f *offerFile) readProduct(sku string) error {
	f.lines.forget(f.dec.InputOffset())
	var p struct {
		Attributes attributes `json:"attributes"`
	}
	if err := lenient(f.dec.Decode(&p)); err != nil {
		return err
	}
	f.product(sku, &p.Attributes)
	return nil
}

func (f *offerFile) readTerms(kind string) error {
	if kind != "OnDemand" {
		if f.products && len(f.prices) > 0 {
			return errEnough
		}
		return skip(f.dec)
	}
	return jsonfile.Object(f.dec, func(sku string) error {
		f.lines.forget(f.dec.InputOffset())
		at := f.pos()
		if _, ok := f.Offers.products[sku]; !ok && f.products {
			var nothing json.RawMessage
			return f.dec.Decode(&nothing)
		}
		var terms map[string]term
		if err := lenient(f.dec.Decode(&terms)); err != nil {
			return err
		}
		for _, p := range pricesOf(terms) {
			p.at, p.productUnknown = at, !f.products
			f.price(sku, p)
		}
		return nil
	})
}

// A term is one offer of a product.
type term struct {
	Dimensions map[string]struct {
		Unit  string            `json:"unit"`
		Price map[string]string `json:"pricePerUnit"`
	} `json:"priceDimensions"`
}

func pricesOf(terms map[string]term) []priced {
	var out []priced
	for _, code := range sortedKeys(terms) {
		for _, d := range sortedKeys(terms[code].Dimensions) {
			x := terms[code].Dimensions[d]
			out = append(out, priced{amount: x.Price["USD"], unit: x.Unit, currencies: strings.Join(sortedKeys(x.Price), ", ")})
		}
	}
	return out
}

// lenient lets a field of another type than it should have pass as absent.
func lenient(err error) error {
	if errors.As(err, new(*json.UnmarshalTypeError)) {
		return nil
	}
	return err
}

// skip reads a value token by token, however large it is.
func skip(dec *json.Decoder) error {
	for depth := 0; ; {
		tok, err := dec.Token()
		if err != nil {
			return err
		}
		switch tok {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// Product takes one element of what the GetProducts API answers. An error says
// that it is no such element.
func (o *Offers) Product(element []byte) error {
	var e struct {
		Product struct {
			SKU        string     `json:"sku"`
			Attributes attributes `json:"attributes"`
		} `json:"product"`
		ServiceCode string `json:"serviceCode"`
		Version     string `json:"version"`
		Published   string `json:"publicationDate"`
		Terms       struct {
			OnDemand map[string]term `json:"OnDemand"`
		} `json:"terms"`
	}
	if err := json.Unmarshal(element, &e); err != nil {
		return err
	}
	if e.Product.SKU == "" {
		return errors.New("has no SKU")
	}
	o.code = e.ServiceCode
	o.version, o.published = max(o.version, e.Version), max(o.published, e.Published)
	o.product(e.Product.SKU, &e.Product.Attributes)
	for _, p := range pricesOf(e.Terms.OnDemand) {
		p.at = diag.Pos{File: o.file}
		o.price(e.Product.SKU, p)
	}
	return nil
}

// readCSV reads an offer file as CSV and reports whether it is one: a few lines
// of what it is, then the columns, then a line for each price.
func (o *Offers) readCSV(r io.Reader) bool {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord = -1
	rows.ReuseRecord = true
	cols := o.head(rows)
	for _, name := range []string{"sku", "termtype", "unit", "priceperunit", "instancetype", "operatingsystem", "tenancy"} {
		if _, ok := cols[name]; !ok {
			o.noList(diag.Pos{File: o.file}, "has no column "+name)
			return false
		}
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			at := diag.Pos{File: o.file}
			var bad *csv.ParseError
			if errors.As(err, &bad) {
				at.Line, at.Column, err = bad.Line, bad.Column, bad.Err
			}
			o.cut(at, err)
			return true
		}
		o.readRow(row, cols, rows)
	}
}

// head reads what the list is and gives its columns, none if there are none.
func (o *Offers) head(rows *csv.Reader) map[string]int {
	const most = 12 // lines before the columns
	for range most {
		row, err := rows.Read()
		if err != nil {
			return nil
		}
		if len(row) != 2 {
			cols := map[string]int{}
			for i, name := range row {
				cols[plain(name)] = i
			}
			return cols
		}
		switch plain(row[0]) {
		case "publicationdate":
			o.published = strings.Clone(row[1])
		case "version":
			o.version = strings.Clone(row[1])
		case "offercode":
			o.code = strings.Clone(row[1])
		}
	}
	return nil
}

func (o *Offers) readRow(row []string, cols map[string]int, rows *csv.Reader) {
	get := func(name string) string {
		if i, ok := cols[name]; ok && i < len(row) {
			return row[i]
		}
		return ""
	}
	if get("termtype") != "OnDemand" {
		return
	}
	a := attributes{
		InstanceType: get("instancetype"), OperatingSystem: get("operatingsystem"), Tenancy: get("tenancy"), Software: get("preinstalledsw"),
		Capacity: get("capacitystatus"), Market: get("marketoption"), LocationType: get("locationtype"), Location: get("location"),
		Region: get("regioncode"), Operation: get("operation"),
	}
	if !a.wanted() {
		return
	}
	line, column := rows.FieldPos(min(cols["priceperunit"], len(row)-1))
	p := priced{at: diag.Pos{File: o.file, Line: line, Column: column}, amount: get("priceperunit"), unit: get("unit"), currencies: get("currency")}
	if p.currencies != "" && p.currencies != "USD" {
		p.amount = ""
	}
	sku := get("sku")
	o.product(sku, &a)
	o.price(sku, p)
	delete(o.products, sku) // each line has all of its product
}

// plain makes the columns of older and newer files alike: "Pre Installed S/W".
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}
