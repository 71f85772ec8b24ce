export function Empty() {
  return (
    <div className="empty">
      <h2>No messages yet</h2>
      <p>
        Ask for a code, on the page or with the <code>curl</code> line that <code>npm start</code> has printed. Each
        mail and SMS shows up here the moment it is sent, and goes no further.
      </p>
      <ForTests />
    </div>
  );
}

export function Nothing() {
  return (
    <div className="hint">
      <p className="soft">Choose a message to read it.</p>
      <ForTests />
    </div>
  );
}

/** How a test of somebody's app gets at a code. */
function ForTests() {
  return (
    <div className="for-tests">
      <p className="soft">A test of your app gets the latest code from the API, and can wait for it:</p>
      <pre>
        <code>curl '{location.origin}/api/latest?to=ada@example.com&amp;wait=10'</code>
      </pre>
    </div>
  );
}
