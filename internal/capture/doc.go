// Package capture takes the raw answers of the old world's interfaces
// (Marathon, Metronome, Mesos) into a folder that package snapshot describes.
//
// Input is a list of sources, each a URL and a credential; output is one file
// an answer, snapshot.json beside them, and a Report of what was had and what
// was not. It will never change anything at a source: a transport that stands
// below everything here lets through the questions that ask.go names and
// nothing else, whatever the code above it does.
//
// What a caller may rely on:
//
//   - A kill at any instant leaves a folder that can be read: a body is written
//     under another name, synced and renamed, then snapshot.json is replaced the
//     same way. The next run asks what is missing or was changed, and no more.
//   - A question that fails costs that answer only; why stands in the answer's
//     error, in the Report, and nowhere as a log line.
//   - A credential goes to the host it was given for and to the peers that were
//     named with it, never to a host that a redirect names. It is in no file, no
//     error and no event.
//   - A source is asked one question at a time, at most Options.Rate a second.
//   - A redirect is followed to the same host (also from http to https), to a
//     peer, and, only when there is no credential that could leak, to another
//     host that a leader election named: a 307 or 308 with the same path. All
//     others are refused, and the error says which URL to give instead.
package capture
